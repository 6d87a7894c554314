import { expect, test } from '@jest/globals'
import { diskKindOf } from './disk-kind.ts'

test.each([
  ['ext4', 0xef53, 'local'],
  ['XFS', 0x58465342, 'local'],
  ['btrfs', 0x9123683e, 'local'],
  ['tmpfs', 0x01021994, 'local'],
  ['ZFS', 0x2fc12fc1, 'local'],
  ['the layer of a container', 0x794c7630, 'overlay'],
  ['NFS', 0x6969, 'network'],
  ['9p, as gVisor and WSL have it', 0x01021997, 'network'],
  ['FUSE, as sshfs and Docker Desktop have it', 0x65735546, 'network'],
  ['CIFS', 0xff534d42, 'network'],
  ['CIFS, as a signed number', 0xff534d42 | 0, 'network'],
  ['SMB2', 0xfe534d42, 'network'],
])('%s', (_name, type, kind) => {
  expect(diskKindOf(type).kind).toBe(kind)
})
