#!/usr/bin/env node
import { run } from './bootstrap.mjs'

run('cli', process.argv.slice(2))
