/** Invented lines of software that many run, by family; the lines of one group are one event with other values. */
export const LOG_GROUPS: Record<string, string[][]> = {
  'servicing of a desktop system': [
    [
      'Loaded Servicing Stack v6.1.7601.23505 with Core: C:\\Windows\\winsxs\\amd64_stack_31bf3856ad364e35_6.1.7601.23505_none_681aa442f6fed7f0\\core.dll',
      'Loaded Servicing Stack v10.0.19041.1 with Core: C:\\Windows\\winsxs\\x86_stack_41bf3856ad364e35_10.0.19041.1_none_0a1aa442f6fed7f0\\core.dll',
    ],
    [
      'Session: 30546173_4261722401 initialized by client WindowsUpdateAgent.',
      'Session: 30546174_42617 initialized by client WindowsUpdateAgent.',
    ],
    [
      'Read out cached package applicability for package: Package_for_KB2928120~31bf3856ad364e35~amd64~~6.1.1.2, ApplicableState: 112, CurrentState:112',
      'Read out cached package applicability for package: Package_1_for_KB3000483~31bf3856ad364e35~amd64~~6.1.1.10, ApplicableState: 80, CurrentState:0',
    ],
    [
      'Failed to start upload with file pattern: C:\\Windows\\servicing\\sqm\\*_std.sqm, flags: 0x2 [HRESULT = 0x80004005 - E_FAIL]',
      'Failed to start upload with file pattern: C:\\Windows\\servicing\\sqm\\*_all.sqm, flags: 0x6 [HRESULT = 0x80004005 - E_FAIL]',
    ],
    [
      '00000001@2016/9/27:20:30:31.455 WcpInitialize (wcp.dll version 0.0.0.6) called (stack @0x7fed806eb5d @0x7fef9fb9b6d @0x7fef9f8358f)',
      '00000a02@2016/11/3:04:20:01.001 WcpInitialize (wcp.dll version 0.0.0.6) called (stack @0x7fed806eb5d @0x7fef9fb9b6d)',
    ],
    ['Creating transaction (seq 2), objectname [6]"(null)"', 'Creating transaction (seq 31), objectname [6]"(null)"'],
    [
      'Created transaction (seq 2) result 0x00000000, handle @0x214',
      'Created transaction (seq 45) result 0x00000000, handle @0x1fc',
    ],
    ['Ending TrustedInstaller initialization.'],
    ['Starting TrustedInstaller initialization.'],
    ['Warning: Unrecognized packageExtended attribute.'],
  ],
  'a telephone': [
    [
      'getRunningAppProcesses: caller 10113 does not hold REAL_GET_TASKS; limiting output',
      'getRunningAppProcesses: caller 1000 does not hold REAL_GET_TASKS; limiting output',
    ],
    [
      'acquire lock=233570404, flags=0x1, tag="View Lock", name=com.android.systemui, ws=null, uid=10037, pid=2227',
      'acquire lock=9, flags=0x10, tag="RILJ_ACK_WL", name=com.android.phone, ws=null, uid=1001, pid=2626',
    ],
    [
      'release lock=233570404, flg=0x0, tag="View Lock", name=com.android.systemui", ws=null, uid=10037, pid=2227',
      'release lock=1, flg=0x2, tag="*alarm*", name=android", ws=null, uid=1000, pid=1702',
    ],
    [
      'ready=true,policy=3,wakefulness=1,wksummary=0x23,uasummary=0x1,bootcompleted=true,mode=false,manual=38,auto=-1,adj=0.0userId=0',
      'ready=true,policy=2,wakefulness=1,wksummary=0x1,uasummary=0x4,bootcompleted=true,mode=true,manual=120,auto=14,adj=-0.5userId=0',
    ],
    [
      'setSystemUiVisibility vis=40000500 mask=ffffffff oldVal=508 newVal=40000500 diff=40000008 bounds=Rect(0, 0 - 0, 0)',
      'setSystemUiVisibility vis=0 mask=ffffffff oldVal=40000500 newVal=0 diff=40000500 bounds=Rect(0, 0 - 1080, 1920)',
    ],
    ['Animating brightness: target=21, rate=40', 'Animating brightness: target=255, rate=200'],
    [
      'Skipping AppWindowToken{df0798e token=Token{78af589 ActivityRecord{3b04890 u0 com.acme.qt/com.acme.video.PlayerActivity t761}}} -- going to hide',
      'Skipping AppWindowToken{1a0798e token=Token{ab5af589 ActivityRecord{cc04890 u0 com.other.app/.MainActivity t12}}} -- going to hide',
    ],
    ['Acquiring suspend blocker "PowerManagerService.WakeLocks".'],
    ['Releasing suspend blocker "PowerManagerService.WakeLocks".'],
    [
      'interceptKeyTq keycode=25 interactive=true keyguardActive=false policyFlags=2000000',
      'interceptKeyTq keycode=4 interactive=false keyguardActive=true policyFlags=22000000',
    ],
    [
      'allDrawn= false, startingDisplayed =  false, isRelaunching =  false',
      'allDrawn= true, startingDisplayed =  true, isRelaunching =  false',
    ],
  ],
  'a cluster of computers': [
    ['ServerFileSystem domain storage442 is full', 'ServerFileSystem domain storage1 is full'],
    ['Fan speeds ( 3552 3534 3375 4245 3515 3479 )', 'Fan speeds ( 3000 3534 1 4245 3515 3479 )'],
    ['boot (command 1903)  Error: machine check', 'boot (command 7)  Error: machine check'],
    ['ambient=40 threshold exceeded', 'ambient=101 threshold exceeded'],
    ['Temperature (41C) exceeds warning threshold', 'Temperature (38C) exceeds warning threshold'],
    [
      'node node-70 has detected an available network connection on network 5.5.224.0 via interface alt0',
      'node node-D3 has detected an available network connection on network 5.5.226.0 via interface alt1',
    ],
    [
      'node node-70 has detected a problem on network 5.5.224.0 via interface alt0',
      'node node-3 has detected a problem on network 5.5.226.0 via interface ee0',
    ],
    [
      'Targeting domains:node-D1 and nodes:node-[40-63] child of command 2102',
      'Targeting domains:node-D3 and nodes:node-[1-2] child of command 3',
    ],
    ['Link error on broadcast tree Interconnect-0T00:00:0:0', 'Link error on broadcast tree Interconnect-1T00:10:5:3'],
  ],
  'a laptop': [
    [
      'ARPT: 620701.011328: AirPort_Brcm43xx::syncPowerState: WWEN[enabled]',
      'ARPT: 9.5: AirPort_Brcm43xx::syncPowerState: WWEN[enabled]',
    ],
    ['en0: BSSID changed to 5c:50:15:4c:18:13', 'en1: BSSID changed to 5C:50:15:36:BC:03'],
    ['en0: channel changed to 64', 'en0: channel changed to 132'],
    [
      'IOThunderboltSwitch<0>(0x0)::listenerCallback - HPD packet for route = 0x0 port = 11 unplug = 0',
      'IOThunderboltSwitch<1>(0x1f)::listenerCallback - HPD packet for route = 0x1 port = 12 unplug = 1',
    ],
    ['PM response took 1999 ms (54, powerd)', 'PM response took 2 ms (31, powerd)'],
    [
      "Cocoa scripting error for '0x00660011': four character codes must be four characters long.",
      "Cocoa scripting error for '0x0': four character codes must be four characters long.",
    ],
    ['Service exited with abnormal code: 1', 'Service exited with abnormal code: 78'],
    [
      'nsurlsessiond[415]: Task <40864E5B-C31A-4C92-A6A3-5F2B9C44A7B6>.<3> finished',
      'nsurlsessiond[9]: Task <11864E5B-C31A-4C92-A6A3-5F2B9C44A7B6>.<17> finished',
    ],
    ['TCP connect to [fe80::1c2a:ff:fe00:1%en0]:5353 timed out', 'TCP connect to [fe80::aa2a:bb:fe00:2%en1]:53 timed out'],
    ['Wake reason: Host (0x01)', 'Wake reason: Host (0x0f)'],
  ],
  'a cloud of virtual machines': [
    [
      '10.11.10.1 "GET /v2/54fadb412c4e40cdbaed9335e4c35a9e/servers/detail HTTP/1.1" status: 200 len: 1893 time: 0.2477829',
      '10.11.21.123,10.11.10.1 "GET /openstack/2013-10-17/meta_data.json HTTP/1.1" status: 200 len: 264 time: 0.0010',
    ],
    [
      '10.11.10.1 "POST /v2/54fadb412c4e40cdbaed9335e4c35a9e/servers HTTP/1.1" status: 202 len: 733 time: 0.4994',
      '10.11.10.1 "POST /v2/a4fadb412c4e40cdbaed9335e4c35a9e/os-server-external-events HTTP/1.1" status: 202 len: 380 time: 0.09',
    ],
    [
      '[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Started (Lifecycle Event)',
      '[instance: 11000564-fe1a-409b-b8cc-1e88b294cd1d] VM Started (Lifecycle Event)',
    ],
    [
      '[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Paused (Lifecycle Event)',
      '[instance: 11000564-fe1a-409b-b8cc-1e88b294cd1d] VM Paused (Lifecycle Event)',
    ],
    [
      '[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] Attempting claim: memory 2048 MB, disk 20 GB, vcpus 1 CPU',
      '[instance: 11000564-fe1a-409b-b8cc-1e88b294cd1d] Attempting claim: memory 512 MB, disk 1 GB, vcpus 4 CPU',
    ],
    [
      '[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] Total memory: 64172 MB, used: 512.00 MB',
      '[instance: 11000564-fe1a-409b-b8cc-1e88b294cd1d] Total memory: 64172 MB, used: 2560.00 MB',
    ],
    [
      '[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] memory limit not specified, defaulting to unlimited',
      '[instance: 11000564-fe1a-409b-b8cc-1e88b294cd1d] memory limit not specified, defaulting to unlimited',
    ],
    [
      'image 0673dd71-34c5-4fbb-86c4-40623fbe45b4 at (/var/lib/nova/instances/_base/a489c868f0c37da93b76227c91bb03908ac0e742): checking',
      'image 1173dd71-34c5-4fbb-86c4-40623fbe45b4 at (/var/lib/nova/instances/_base/b489c868f0c37da93b76227c91bb03908ac0e742): checking',
    ],
    [
      'Running instance usage audit for host cp-1.slowvm1.tcloud-pg0.utah.cloudlab.us from 2017-05-16 04:00:00 to 2017-05-16 05:00:00. 15 instances.',
      'Running instance usage audit for host cp-2.fast.acme.example.de from 2017-05-16 05:00:00 to 2017-05-16 06:00:00. 0 instances.',
    ],
    [
      "Compute_service record updated for ('cp-1.slowvm1.tcloud-pg0.utah.cloudlab.us', 'cp-1.slowvm1.tcloud-pg0.utah.cloudlab.us')",
      "Compute_service record updated for ('cp-2.acme.example.de', 'cp-2.acme.example.de')",
    ],
    ['Took 20.58 seconds to spawn the instance on the hypervisor.', 'Took 9 seconds to spawn the instance on the hypervisor.'],
    [
      'Final resource view: name=cp-1.utah.cloudlab.us phys_ram=64172MB used_ram=2560MB phys_disk=15GB total_vcpus=16 pci_stats=[]',
      'Final resource view: name=cp-2.utah.cloudlab.us phys_ram=128MB used_ram=0MB phys_disk=2TB total_vcpus=1 pci_stats=[]',
    ],
    [
      'Creating event network-vif-plugged:3b7c1d4d-1b9c-4b8c-8d3e-2c4b1b9c4b8c for instance b9000564-fe1a-409b-b8cc-1e88b294cd1d',
      'Creating event network-vif-plugged:aa7c1d4d-1b9c-4b8c-8d3e-2c4b1b9c4b8c for instance 11000564-fe1a-409b-b8cc-1e88b294cd1d',
    ],
  ],
  'jobs on a cluster': [
    [
      'Block rdd_2_0 stored as values in memory (estimated size 3.2 KB, free 405.2 KB)',
      'Block rdd_42_7 stored as values in memory (estimated size 384.0 B, free 1.2 MB)',
    ],
    [
      'Block broadcast_9_piece0 stored as bytes in memory (estimated size 5.2 KB, free 317.2 KB)',
      'Block broadcast_12_piece1 stored as bytes in memory (estimated size 21.4 GB, free 0 B)',
    ],
    ['Running task 0.0 in stage 0.0 (TID 0)', 'Running task 12.1 in stage 24.0 (TID 1138)'],
    [
      'Finished task 0.0 in stage 0.0 (TID 0). 2703 bytes result sent to driver',
      'Finished task 12.1 in stage 24.0 (TID 1138). 51 bytes result sent to driver',
    ],
    ['Input split: hdfs://10.10.34.11:9000/pjhe/logs/2kSOSP.log:29168+7292', 'Input split: hdfs://10.10.34.12:9000/x/y.log:0+1'],
    ['Found block rdd_2_1 locally', 'Found block rdd_42_0 locally'],
    ['Reading broadcast variable 9 took 160 ms', 'Reading broadcast variable 0 took 17 s'],
    ['Started reading broadcast variable 9', 'Started reading broadcast variable 12'],
    ['Times: total = 40, boot = 23, init = 17, finish = 0', 'Times: total = 1024, boot = -860, init = 1884, finish = 0'],
    [
      "Saved output of task 'attempt_201706092018_0024_m_000000_1138' to hdfs://10.10.34.11:9000/test/1/_temporary/0/task_201706092018_0024_m_000000",
      "Saved output of task 'attempt_201706092019_0001_r_000009_7' to hdfs://10.10.34.11:9000/test/9/_temporary/0/task_201706092019_0001_r_000009",
    ],
    ['attempt_201706092018_0024_m_000000_1138: Committed', 'attempt_201706092019_0025_r_000004_9: Committed'],
    [
      'Remoting started; listening on addresses :[akka.tcp://actors@mesos-slave-07:55904]',
      'Remoting started; listening on addresses :[akka.tcp://actors@mesos-slave-11:1]',
    ],
    ['Partition rdd_42_0 not found, computing it', 'Partition rdd_3_19 not found, computing it'],
    ['Got assigned task 0', 'Got assigned task 31'],
    ['Connecting to driver: spark://Scheduler@10.10.34.11:48069', 'Connecting to driver: spark://Scheduler@10.10.34.12:1'],
    [
      'Created local directory at /opt/hdfs/appcache/blockmgr-70293f72-844a-4b39-9ad6-fb0ad7e364e4',
      'Created local directory at /tmp/blockmgr-10293f72-844a-4b39-9ad6-fb0ad7e364e4',
    ],
    ['Starting executor ID 5 on host mesos-slave-07', 'Starting executor ID 12 on host mesos-slave-11'],
  ],
  'a log of a system': [
    ['session opened for user root by (uid=0)', 'session opened for user news by (uid=9)'],
    ['session closed for user root', 'session closed for user news'],
    ['synchronized to 10.100.20.250, stratum 3', 'synchronized to 10.100.18.250, stratum 10'],
    ['DHCPDISCOVER from 00:11:43:e3:ba:c3 via eth1', 'DHCPDISCOVER from 00:11:43:E3:BA:C4 via eth0'],
    ['DHCPOFFER on 10.1.2.3 to 00:11:43:e3:ba:c3 via eth1', 'DHCPOFFER on 10.1.2.99 to ab:cd:ef:ab:cd:ef via eth0'],
    [
      'data_thread() got not answer from any [Thunder_A8] datasource',
      'data_thread() got not answer from any [Thunder_B3] datasource',
    ],
    [
      'ACPI: PCI Interrupt 0000:01:00.0[A] -> GSI 16 (level, low) -> IRQ 169',
      'ACPI: PCI Interrupt 0000:02:0e.1[B] -> GSI 46 (level, low) -> IRQ 233',
    ],
    ['sendto(10.100.20.250) (fd=21): Invalid argument', 'sendto(10.100.18.250) (fd=4): Invalid argument'],
    ['CPU1: Temperature above threshold', 'CPU3: Temperature above threshold'],
    ['Received disconnect from 10.0.0.1: 11: Bye Bye [preauth]', 'Received disconnect from 1.2.3.4: 11: Bye Bye [preauth]'],
    [
      'Accepted publickey for deploy from 10.0.0.1 port 55012 ssh2: RSA SHA256:abCD12+/x',
      'Accepted publickey for root from 1.2.3.4 port 9 ssh2: RSA SHA256:QQCD12+/y',
    ],
    ['ip_tables: (C) 2000-2002 core team'],
    ['scsi0 : Adaptec AIC79XX, Rev 1.3', 'scsi1 : Adaptec AIC79XX, Rev 1.3'],
    ['device eth0 entered promiscuous mode', 'device eth1 entered promiscuous mode'],
    ['device eth0 left promiscuous mode', 'device eth1 left promiscuous mode'],
    [
      'usb 1-1.2: new high-speed USB device number 7 using ehci-pci',
      'usb 3-2: new high-speed USB device number 12 using ehci-pci',
    ],
    [
      'Out of memory: Killed process 1234 (java) total-vm:10485760kB, anon-rss:12kB',
      'Out of memory: Killed process 99 (java) total-vm:1kB, anon-rss:3312kB',
    ],
    [
      '[UFW BLOCK] IN=eth0 OUT= MAC=00:11:43:e3:ba:c3 SRC=10.0.0.1 DST=10.0.0.2 LEN=40 PROTO=TCP SPT=4 DPT=22',
      '[UFW BLOCK] IN=eth1 OUT= MAC=00:11:43:e3:ba:c4 SRC=10.0.0.9 DST=10.0.0.8 LEN=1500 PROTO=TCP SPT=55555 DPT=80',
    ],
  ],
  'a proxy': [
    [
      'proxy.cse.acme.edu.hk:5070 open through proxy proxy.cse.acme.edu.hk:5070 HTTPS',
      'www.search.com:443 open through proxy 10.0.0.1:5070 HTTPS',
    ],
    [
      'www.search.com:443 close, 1190 bytes (1.16 KB) sent, 1671 bytes (1.63 KB) received, lifetime 00:02',
      'play.example.ai:80 close, 99 bytes (0.1 KB) sent, 16710 bytes (16.3 KB) received, lifetime 01:22:02',
    ],
    [
      'www.search.com:443 error : Could not connect through proxy proxy.cse.acme.edu.hk:5070 - Proxy server cannot establish a connection with the target, status code 403',
      'a.b.c.xyz:80 error : Could not connect through proxy proxy.cse.acme.edu.hk:5070 - Proxy server cannot establish a connection with the target, status code 403',
    ],
    [
      'www.search.com:443 error : Could not connect to proxy - connection attempt failed with error 10060',
      'dl.drop.box:443 error : Could not connect to proxy - connection attempt failed with error 10061',
    ],
  ],
  'stored blocks': [
    [
      'Received block blk_-1608999687919862906 of size 91178 from /10.250.10.6',
      'Received block blk_17 of size 67108864 from /10.250.14.224',
    ],
    [
      'BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.251.73.220:50010 is added to blk_7128370237687728475 size 67108864',
      'BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.250.1.1:50010 is added to blk_-1 size 3542967',
    ],
    [
      '10.250.11.53:50010 Starting thread to transfer block blk_-8213344 to 10.251.214.67:50010',
      '10.250.11.54:50010 Starting thread to transfer block blk_9 to 10.251.214.67:50010, 10.251.215.16:50010',
    ],
    ['Verification succeeded for blk_-6952295868487656571', 'Verification succeeded for blk_1'],
    [
      'container_1445144423722_0020_01_000002 transitioned from ALLOCATED to ACQUIRED',
      'container_1445144423799_0001_01_000009 transitioned from ALLOCATED to ACQUIRED',
    ],
    [
      'container_1445144423722_0020_01_000002 transitioned from RUNNING to COMPLETED',
      'container_1445144423799_0001_01_000009 transitioned from RUNNING to COMPLETED',
    ],
    [
      'Progress of TaskAttempt attempt_1445144423722_0020_m_000000_0 is : 0.13102192',
      'Progress of TaskAttempt attempt_1445144423722_0020_r_000001_3 is : 1.0',
    ],
    [
      'Closing socket connection and attempting reconnect, sessionid 0x14ed93111f20027 timeout 10000',
      'Closing socket connection and attempting reconnect, sessionid 0x0 timeout 4000',
    ],
  ],
}
