/* System call numbers of the four modes.
 *
 * One line per call, one column per mode; -1 means that this mode does not have the call.
 * NR_getppid and its like are plain enum constants, so a story can say `if (NR_mmap2 >= 0)`.
 */
#ifndef GUEST_SYSCALL_NUMBERS_H
#define GUEST_SYSCALL_NUMBERS_H

#if defined(__x86_64__)
#define GUEST_COLUMN(x86_32, x86_64, ppc32, ppc64) (x86_64)
#elif defined(__i386__)
#define GUEST_COLUMN(x86_32, x86_64, ppc32, ppc64) (x86_32)
#elif defined(__powerpc64__)
#define GUEST_COLUMN(x86_32, x86_64, ppc32, ppc64) (ppc64)
#elif defined(__powerpc__)
#define GUEST_COLUMN(x86_32, x86_64, ppc32, ppc64) (ppc32)
#else
#error "not one of the four modes"
#endif

/* clang-format off */
#define GUEST_SYSCALLS(N) /* name, x86_32, x86_64, ppc32, ppc64 */ \
    /* Processes */ \
    N(exit, 1, 60, 1, 1) \
    N(exit_group, 252, 231, 234, 234) \
    N(fork, 2, 57, 2, 2) \
    N(vfork, 190, 58, 189, 189) \
    N(clone, 120, 56, 120, 120) \
    N(execve, 11, 59, 11, 11) \
    N(wait4, 114, 61, 114, 114) \
    N(waitid, 284, 247, 272, 272) \
    N(getpid, 20, 39, 20, 20) \
    N(getppid, 64, 110, 64, 64) \
    N(gettid, 224, 186, 207, 207) \
    N(set_tid_address, 258, 218, 232, 232) \
    N(getpgid, 132, 121, 132, 132) \
    N(setpgid, 57, 109, 57, 57) \
    N(getpgrp, 65, 111, 65, 65) \
    N(getsid, 147, 124, 147, 147) \
    N(eclone, 347, 312, 351, 351) \
    N(checkpoint, 348, 313, 352, 352) \
    N(restart, 349, 314, 353, 353) \
    N(setsid, 66, 112, 66, 66) \
    N(sched_yield, 158, 24, 158, 158) \
    N(prctl, 172, 157, 171, 171) \
    N(arch_prctl, 384, 158, -1, -1) \
    N(set_thread_area, 243, 205, -1, -1) \
    N(futex, 240, 202, 221, 221) \
    N(set_robust_list, 311, 273, 300, 300) \
    N(get_robust_list, 312, 274, 299, 299) \
    N(unshare, 310, 272, 282, 282) \
    \
    /* Identity and limits */ \
    N(getuid, 24, 102, 24, 24) \
    N(geteuid, 49, 107, 49, 49) \
    N(getgid, 47, 104, 47, 47) \
    N(getegid, 50, 108, 50, 50) \
    N(setuid, 23, 105, 23, 23) \
    N(setgid, 46, 106, 46, 46) \
    N(setresuid, 164, 117, 164, 164) \
    N(getresuid, 165, 118, 165, 165) \
    N(setgroups, 81, 116, 81, 81) \
    N(getgroups, 80, 115, 80, 80) \
    N(getuid32, 199, -1, -1, -1) \
    N(getgid32, 200, -1, -1, -1) \
    N(geteuid32, 201, -1, -1, -1) \
    N(getegid32, 202, -1, -1, -1) \
    N(setuid32, 213, -1, -1, -1) \
    N(setgid32, 214, -1, -1, -1) \
    N(setgroups32, 206, -1, -1, -1) \
    N(getgroups32, 205, -1, -1, -1) \
    N(uname, 122, 63, 122, 122) \
    N(sethostname, 74, 170, 74, 74) \
    N(setdomainname, 121, 171, 121, 121) \
    N(getrlimit, 76, 97, 76, 76) \
    N(ugetrlimit, 191, -1, 190, 190) \
    N(setrlimit, 75, 160, 75, 75) \
    N(getrusage, 77, 98, 77, 77) \
    N(getpriority, 96, 140, 96, 96) \
    N(setpriority, 97, 141, 97, 97) \
    N(capget, 184, 125, 183, 183) \
    N(capset, 185, 126, 184, 184) \
    N(personality, 136, 135, 136, 136) \
    N(sched_setaffinity, 241, 203, 222, 222) \
    N(sched_getaffinity, 242, 204, 223, 223) \
    N(sched_setscheduler, 156, 144, 156, 156) \
    N(sched_getscheduler, 157, 145, 157, 157) \
    \
    /* Files */ \
    N(read, 3, 0, 3, 3) \
    N(write, 4, 1, 4, 4) \
    N(readv, 145, 19, 145, 145) \
    N(writev, 146, 20, 146, 146) \
    N(open, 5, 2, 5, 5) \
    N(openat, 295, 257, 286, 286) \
    N(close, 6, 3, 6, 6) \
    N(creat, 8, 85, 8, 8) \
    N(lseek, 19, 8, 19, 19) \
    N(_llseek, 140, -1, 140, 140) \
    N(pread64, 180, 17, 179, 179) \
    N(pwrite64, 181, 18, 180, 180) \
    N(truncate, 92, 76, 92, 92) \
    N(truncate64, 193, -1, 193, -1) \
    N(ftruncate, 93, 77, 93, 93) \
    N(ftruncate64, 194, -1, 194, -1) \
    N(dup, 41, 32, 41, 41) \
    N(dup2, 63, 33, 63, 63) \
    N(dup3, 330, 292, 316, 316) \
    N(fcntl, 55, 72, 55, 55) \
    N(fcntl64, 221, -1, 204, -1) \
    N(flock, 143, 73, 143, 143) \
    N(ioctl, 54, 16, 54, 54) \
    N(fsync, 118, 74, 118, 118) \
    N(access, 33, 21, 33, 33) \
    N(chmod, 15, 90, 15, 15) \
    N(fchmod, 94, 91, 94, 94) \
    N(chown, 182, 92, 181, 181) \
    N(umask, 60, 95, 60, 60) \
    N(utimensat, 320, 280, 304, 304) \
    N(mknod, 14, 133, 14, 14) \
    N(pipe, 42, 22, 42, 42) \
    N(pipe2, 331, 293, 317, 317) \
    N(sendfile, 187, 40, 186, 186) \
    \
    /* Names */ \
    N(stat, 106, 4, 106, 106) \
    N(fstat, 108, 5, 108, 108) \
    N(lstat, 107, 6, 107, 107) \
    N(stat64, 195, -1, 195, -1) \
    N(fstat64, 197, -1, 197, -1) \
    N(lstat64, 196, -1, 196, -1) \
    N(newfstatat, -1, 262, -1, 291) \
    N(fstatat64, 300, -1, 291, -1) \
    N(mkdir, 39, 83, 39, 39) \
    N(rmdir, 40, 84, 40, 40) \
    N(unlink, 10, 87, 10, 10) \
    N(unlinkat, 301, 263, 292, 292) \
    N(rename, 38, 82, 38, 38) \
    N(link, 9, 86, 9, 9) \
    N(symlink, 83, 88, 83, 83) \
    N(readlink, 85, 89, 85, 85) \
    N(chdir, 12, 80, 12, 12) \
    N(fchdir, 133, 81, 133, 133) \
    N(getcwd, 183, 79, 182, 182) \
    N(chroot, 61, 161, 61, 61) \
    N(mount, 21, 165, 21, 21) \
    N(umount2, 52, 166, 52, 52) \
    N(umount, 22, -1, 22, 22) \
    N(pivot_root, 217, 155, 203, 203) \
    N(setns, 346, 308, 350, 350) \
    N(statfs, 99, 137, 99, 99) \
    N(getdents64, 220, 217, 202, 202) \
    \
    /* Memory */ \
    N(brk, 45, 12, 45, 45) \
    N(mmap, 90, 9, 90, 90) \
    N(mmap2, 192, -1, 192, -1) \
    N(munmap, 91, 11, 91, 91) \
    N(mremap, 163, 25, 163, 163) \
    N(mprotect, 125, 10, 125, 125) \
    N(msync, 144, 26, 144, 144) \
    N(madvise, 219, 28, 205, 205) \
    N(mlock, 150, 149, 150, 150) \
    N(munlock, 151, 150, 151, 151) \
    N(mincore, 218, 27, 206, 206) \
    N(remap_file_pages, 257, 216, 239, 239) \
    \
    /* Signals */ \
    N(rt_sigaction, 174, 13, 173, 173) \
    N(rt_sigprocmask, 175, 14, 174, 174) \
    N(rt_sigpending, 176, 127, 175, 175) \
    N(rt_sigsuspend, 179, 130, 178, 178) \
    N(rt_sigtimedwait, 177, 128, 176, 176) \
    N(rt_sigqueueinfo, 178, 129, 177, 177) \
    N(rt_tgsigqueueinfo, 335, 297, 322, 322) \
    N(rt_sigreturn, 173, 15, 172, 172) \
    N(sigaltstack, 186, 131, 185, 185) \
    N(kill, 37, 62, 37, 37) \
    N(tkill, 238, 200, 208, 208) \
    N(tgkill, 270, 234, 250, 250) \
    N(pause, 29, 34, 29, 29) \
    N(signalfd4, 327, 289, 313, 313) \
    \
    /* Time */ \
    N(time, 13, 201, 13, 13) \
    N(gettimeofday, 78, 96, 78, 78) \
    N(clock_gettime, 265, 228, 246, 246) \
    N(clock_getres, 266, 229, 247, 247) \
    N(clock_nanosleep, 267, 230, 248, 248) \
    N(nanosleep, 162, 35, 162, 162) \
    N(alarm, 27, 37, 27, 27) \
    N(getitimer, 105, 36, 105, 105) \
    N(setitimer, 104, 38, 104, 104) \
    N(timer_create, 259, 222, 240, 240) \
    N(timer_settime, 260, 223, 241, 241) \
    N(timer_gettime, 261, 224, 242, 242) \
    N(timer_getoverrun, 262, 225, 243, 243) \
    N(timer_delete, 263, 226, 244, 244) \
    N(timerfd_create, 322, 283, 306, 306) \
    N(timerfd_settime, 325, 286, 311, 311) \
    N(timerfd_gettime, 326, 287, 312, 312) \
    N(times, 43, 100, 43, 43) \
    \
    /* Waiting */ \
    N(select, 82, 23, 82, 82) \
    N(_newselect, 142, -1, 142, 142) \
    N(poll, 168, 7, 167, 167) \
    N(ppoll, 309, 271, 281, 281) \
    N(epoll_create, 254, 213, 236, 236) \
    N(epoll_create1, 329, 291, 315, 315) \
    N(epoll_ctl, 255, 233, 237, 237) \
    N(epoll_wait, 256, 232, 238, 238) \
    N(eventfd, 323, 284, 307, 307) \
    N(eventfd2, 328, 290, 314, 314) \
    N(inotify_init1, 332, 294, 318, 318) \
    N(inotify_add_watch, 292, 254, 276, 276) \
    N(inotify_rm_watch, 293, 255, 277, 277) \
    \
    /* Sockets */ \
    N(socketcall, 102, -1, 102, 102) \
    N(socket, 359, 41, 326, 326) \
    N(bind, 361, 49, 327, 327) \
    N(connect, 362, 42, 328, 328) \
    N(listen, 363, 50, 329, 329) \
    N(accept, -1, 43, 330, 330) \
    N(getsockname, 367, 51, 331, 331) \
    N(getpeername, 368, 52, 332, 332) \
    N(socketpair, 360, 53, 333, 333) \
    N(sendto, 369, 44, 335, 335) \
    N(recvfrom, 371, 45, 337, 337) \
    N(sendmsg, 370, 46, 341, 341) \
    N(recvmsg, 372, 47, 342, 342) \
    N(shutdown, 373, 48, 338, 338) \
    N(setsockopt, 366, 54, 339, 339) \
    N(getsockopt, 365, 55, 340, 340) \
    \
    /* System V and POSIX IPC */ \
    N(ipc, 117, -1, 117, 117) \
    N(shmget, 395, 29, 395, 395) \
    N(shmat, 397, 30, 397, 397) \
    N(shmdt, 398, 67, 398, 398) \
    N(shmctl, 396, 31, 396, 396) \
    N(semget, 393, 64, 393, 393) \
    N(semop, -1, 65, -1, -1) \
    N(semctl, 394, 66, 394, 394) \
    N(semtimedop, -1, 220, -1, 392) \
    N(msgget, 399, 68, 399, 399) \
    N(msgsnd, 400, 69, 400, 400) \
    N(msgrcv, 401, 70, 401, 401) \
    N(msgctl, 402, 71, 402, 402) \
    N(mq_open, 277, 240, 262, 262) \
    N(mq_timedsend, 279, 242, 264, 264) \
    N(mq_timedreceive, 280, 243, 265, 265) \
    N(mq_unlink, 278, 241, 263, 263) \
    \
    /* Credentials, scheduling and the machine */ \
    N(setreuid, 70, 113, 70, 70) \
    N(setregid, 71, 114, 71, 71) \
    N(setresgid, 170, 119, 169, 169) \
    N(getresgid, 171, 120, 170, 170) \
    N(setfsuid, 138, 122, 138, 138) \
    N(setfsgid, 139, 123, 139, 139) \
    N(setresuid32, 208, -1, -1, -1) \
    N(getresuid32, 209, -1, -1, -1) \
    N(setresgid32, 210, -1, -1, -1) \
    N(getresgid32, 211, -1, -1, -1) \
    N(setreuid32, 203, -1, -1, -1) \
    N(setregid32, 204, -1, -1, -1) \
    N(setfsuid32, 215, -1, -1, -1) \
    N(setfsgid32, 216, -1, -1, -1) \
    N(nice, 34, -1, 34, 34) \
    N(sched_setparam, 154, 142, 154, 154) \
    N(sched_getparam, 155, 143, 155, 155) \
    N(sched_get_priority_max, 159, 146, 159, 159) \
    N(sched_get_priority_min, 160, 147, 160, 160) \
    N(sched_rr_get_interval, 161, 148, 161, 161) \
    N(getcpu, 318, 309, 302, 302) \
    N(ioprio_get, 290, 252, 274, 274) \
    N(ioprio_set, 289, 251, 273, 273) \
    N(sysinfo, 116, 99, 116, 116) \
    N(syslog, 103, 103, 103, 103) \
    N(settimeofday, 79, 164, 79, 79) \
    N(stime, 25, -1, 25, 25) \
    N(adjtimex, 124, 159, 124, 124) \
    N(vhangup, 111, 153, 111, 111) \
    N(acct, 51, 163, 51, 51) \
    N(quotactl, 131, 179, 131, 131) \
    N(swapon, 87, 167, 87, 87) \
    N(swapoff, 115, 168, 115, 115) \
    N(reboot, 88, 169, 88, 88) \
    N(readahead, 225, 187, 191, 191) \
    N(sync_file_range, 314, 277, -1, -1) \
    N(sync_file_range2, -1, -1, 308, 308) \
    N(syncfs, 344, 306, 348, 348) \
    N(epoll_pwait, 319, 281, 303, 303) \
    N(signalfd, 321, 282, 305, 305) \
    N(inotify_init, 291, 253, 275, 275) \
    N(memfd_create, 356, 319, 360, 360) \
    N(pidfd_open, 434, 434, 434, 434) \
    N(pidfd_send_signal, 424, 424, 424, 424) \
    N(pidfd_getfd, 438, 438, 438, 438) \
    N(execveat, 358, 322, 362, 362) \
    N(membarrier, 375, 324, 365, 365) \
    N(splice, 313, 275, 283, 283) \
    N(tee, 315, 276, 284, 284) \
    N(vmsplice, 316, 278, 285, 285) \
    N(preadv, 333, 295, 320, 320) \
    N(pwritev, 334, 296, 321, 321) \
    N(sendfile64, 239, -1, 226, -1) \
    N(mknodat, 297, 259, 288, 288) \
    N(linkat, 303, 265, 294, 294) \
    N(faccessat, 307, 269, 298, 298) \
    N(fchmodat, 306, 268, 297, 297) \
    N(renameat, 302, 264, 293, 293) \
    N(pselect6, 308, 270, 280, 280) \
    N(fallocate, 324, 285, 309, 309) \
    N(sync, 36, 162, 36, 36) \
    N(mlockall, 152, 151, 152, 152) \
    N(munlockall, 153, 152, 153, 153) \
    N(fstatfs, 100, 138, 100, 100) \
    N(prlimit64, 340, 302, 325, 325) \
    N(readlinkat, 305, 267, 296, 296) \
    N(getrandom, 355, 318, 359, 359) \
    /* end */
/* clang-format on */

#define GUEST_NUMBER(name, x86_32, x86_64, ppc32, ppc64) \
    NR_##name = GUEST_COLUMN(x86_32, x86_64, ppc32, ppc64),
enum guest_syscall { GUEST_SYSCALLS(GUEST_NUMBER) };

#endif
