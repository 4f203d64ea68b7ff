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

/* eclone(flags, args, size, pids): the child calls box[0](box[1]), and exits with its result.
 * On another stack it may not return into this frame, so its whole life is in here. */
static inline long raw_eclone(long nr, long flags, void *args, long size, int *pids, void **box)
{
    register long r0 __asm__("r0") = nr;
    register long r3 __asm__("r3") = flags;
    register void *r4 __asm__("r4") = args;
    register long r5 __asm__("r5") = size;
    register int *r6 __asm__("r6") = pids;
    register void **r14 __asm__("r14") = box;
    __asm__ volatile("sc\n\t"
                     "bns+ 1f\n\t"
                     "neg 3, 3\n"
                     "1:\n\t"
                     "cmpwi 3, 0\n\t"
                     "bne 2f\n\t"
                     "clrrwi 1, 1, 4\n\t"
                     "stwu 1, -64(1)\n\t"
                     "lwz 12, 0(14)\n\t"
                     "lwz 3, 4(14)\n\t"
                     "mtctr 12\n\t"
                     "bctrl\n\t"
                     "li 0, 1\n\t"
                     "sc\n"
                     "2:"
                     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6)
                     : "r"(r14)
                     : "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "lr", "xer", "memory");
    return r3;
}
