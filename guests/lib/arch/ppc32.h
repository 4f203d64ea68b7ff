/* PowerPC, 32 bits, big-endian, SVR4 ABI. */
#include "powerpc_sc.h"

/* Where a new program begins: argc, argv, envp and auxv are on the stack. */
#define GUEST_START                              \
    __asm__(".globl _start\n"                    \
            ".type _start, @function\n"          \
            "_start:\n"                          \
            "    mr 3, 1\n"                      \
            "    rlwinm 1, 1, 0, 0, 27\n"        \
            "    li 0, 0\n"                      \
            "    mtlr 0\n"                       \
            "    stwu 0, -16(1)\n"               \
            "    bl guest_start\n"               \
            "    trap\n")

#ifndef GUEST_HOSTED
/* struct stat64 as the kernel fills it. */
struct stat {
    unsigned long long st_dev, st_ino;
    unsigned int st_mode, st_nlink, st_uid, st_gid;
    unsigned long long st_rdev, guest_pad0;
    long long st_size;
    int st_blksize, guest_pad1;
    long long st_blocks;
    int st_atime;
    unsigned int st_atime_nsec;
    int st_mtime;
    unsigned int st_mtime_nsec;
    int st_ctime;
    unsigned int st_ctime_nsec;
    unsigned int guest_pad2[2];
};
#endif
