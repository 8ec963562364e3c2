#!/usr/bin/env node
/** The entry of the `romana` command. */
import { romana } from './romana.ts'

const { exitCode, text, isFailure } = await romana(process.argv.slice(2))
const stream = isFailure === true ? process.stderr : process.stdout
stream.write(text)
process.exitCode = exitCode
