/** All cases: those of options, and those of verbs. */
import type { NetworkCase } from '../network-case.ts'
import { ADDRESS_CASES } from './addresses.ts'
import { API_CASES } from './api.ts'
import { CONNECT_CASES } from './connect.ts'
import { CONTAINER_CASES } from './containers.ts'
import { CREATE_CASES } from './create.ts'
import { ENDPOINT_CASES } from './endpoint-options.ts'
import { ICMP_CASES } from './icmp.ts'
import { LINK_CASES } from './links.ts'
import { NAME_CASES } from './names.ts'
import { NETWORK_CASES } from './networks.ts'
import { PACKET_CASES } from './packets.ts'
import { PORT_CASES } from './published-ports.ts'
import { SUBNET_CASES } from './subnets.ts'

export const OPTION_CASES: readonly NetworkCase[] = [
  ...CREATE_CASES,
  ...SUBNET_CASES,
  ...ADDRESS_CASES,
  ...LINK_CASES,
  ...NAME_CASES,
  ...PACKET_CASES,
  ...ICMP_CASES,
  ...PORT_CASES,
]

export const VERB_CASES: readonly NetworkCase[] = [
  ...CONTAINER_CASES,
  ...NETWORK_CASES,
  ...CONNECT_CASES,
  ...ENDPOINT_CASES,
  ...API_CASES,
]
