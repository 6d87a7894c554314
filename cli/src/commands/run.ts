import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packetFiles } from '@loopkit/shared/improvement-packet/improvement-packet'
import { createFolder } from '@loopkit/shared/runtime/data-folder'
import type { Command } from 'commander'
import { addDiagnoseOptions, type DiagnoseFlags, diagnose } from './diagnose.ts'

/** `loopkit run`: a diagnosis written as files to review: drafts on disk, nothing sent anywhere. */
export function addRun(program: Command): void {
  addDiagnoseOptions(program.command('run'))
    .description('diagnose, and write issue drafts, eval candidates and patch plans as files')
    .option('--out <folder>', 'folder that receives one folder per packet', 'loopkit-out')
    .action(async (flags: DiagnoseFlags & { out: string }) => {
      const packet = await diagnose(flags)
      const folder = join(flags.out, packet.packet_id.replace(/[^A-Za-z0-9_]/g, ''))
      const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
      for (const { path, text } of packetFiles(packet, sha256)) {
        const target = join(folder, path)
        createFolder(dirname(target))
        writeFileSync(target, text)
      }
      console.log(join(folder, 'manifest.json'))
    })
}
