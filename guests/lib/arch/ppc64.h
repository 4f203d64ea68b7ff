/* PowerPC, 64 bits, big-endian, ELFv2 ABI: the kernel enters with the entry address in r12. */
#include "powerpc_sc.h"

/* Where a new program begins: argc, argv, envp and auxv are on the stack. */
#define GUEST_START                              \
    __asm__(".globl _start\n"                    \
            ".type _start, @function\n"          \
            "_start:\n"                          \
            "    addis 2, 12, .TOC.-_start@ha\n" \
            "    addi 2, 2, .TOC.-_start@l\n"    \
            "    mr 3, 1\n"                      \
            "    clrrdi 1, 1, 4\n"               \
            "    li 0, 0\n"                      \
            "    mtlr 0\n"                       \
            "    stdu 0, -32(1)\n"               \
            "    bl guest_start\n"               \
            "    trap\n")

#ifndef GUEST_HOSTED
/* struct stat as the kernel fills it. */
struct stat {
    unsigned long st_dev, st_ino, st_nlink;
    unsigned int st_mode, st_uid, st_gid, guest_pad0;
    unsigned long st_rdev;
    long st_size;
    unsigned long st_blksize, st_blocks;
    unsigned long st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
    unsigned long guest_pad1[3];
};
#endif
