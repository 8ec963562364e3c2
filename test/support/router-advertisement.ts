/** Router advertisements of a container that may make raw packets. */
import type { Command } from '../../host/processes.ts'

/** Router for 1800 s, prefix 2001:db8:bad::/64 on the link and for own addresses (RFC 4861, 4.2 and 4.6.2). */
const ADVERTISEMENT = [
  '8600000040000708' + '0000000000000000',
  '030440c000015180' + '0001518000000000',
  '20010db80bad0000' + '0000000000000000',
].join('')

/** Perl, which every Debian has, since Node has no raw sockets. The kernel fills in the checksum. */
const SEND = `
use Socket qw(:all);
my ($index, $packet) = @ARGV;
socket(my $raw, AF_INET6, SOCK_RAW, 58) or die $!;
for my $hops (16, 18) { setsockopt($raw, 41, $hops, 255) or die $!; }
for my $to ("ff02::1", "fe80::1") {
  send($raw, pack("H*", $packet), 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, $to), $index)) or die $!;
}
`

/** To all on the link, and to the host's address. @param linkIndex of the link in the container. */
export function advertiseRouter(linkIndex: number): Command {
  return { file: 'perl', args: ['-e', SEND, String(linkIndex), ADVERTISEMENT] }
}
