/* x86-64: `syscall`; the number in rax, arguments in rdi rsi rdx r10 r8 r9. The kernel answers in
 * rax, errors as -errno, and destroys rcx and r11. */

static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Where a new program begins: argc, argv, envp and auxv are on the stack. */
#define GUEST_START                              \
    __asm__(".globl _start\n"                    \
            ".type _start, @function\n"          \
            "_start:\n"                          \
            "    xorl %ebp, %ebp\n"              \
            "    movq %rsp, %rdi\n"              \
            "    andq $-16, %rsp\n"              \
            "    call guest_start\n"             \
            "    hlt\n")

/* The trampoline that a signal handler returns to. */
#define GUEST_RESTORER                           \
    __asm__(".globl guest_restorer\n"            \
            "guest_restorer:\n"                  \
            "    movl $15, %eax\n"               \
            "    syscall\n")
#define GUEST_NEEDS_RESTORER 1

#ifndef GUEST_HOSTED
/* struct stat as the kernel fills it. */
struct stat {
    unsigned long st_dev, st_ino, st_nlink;
    unsigned int st_mode, st_uid, st_gid, guest_pad0;
    unsigned long st_rdev;
    long st_size, st_blksize, st_blocks;
    unsigned long st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
    long guest_pad1[3];
};
#endif

/* eclone(flags, args, size, pids): the child calls box[0](box[1]), and exits with its result.
 * On another stack it may not return into this frame, so its whole life is in here. */
static inline long raw_eclone(long nr, long flags, void *args, long size, int *pids, void **box)
{
    register long r10 __asm__("r10") = (long)pids;
    register void **r12 __asm__("r12") = box;
    long result = nr;
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "andq $-16, %%rsp\n\t"
                     "movq 8(%%r12), %%rdi\n\t"
                     "call *(%%r12)\n\t"
                     "movl %%eax, %%edi\n\t"
                     "movl $60, %%eax\n\t"
                     "syscall\n"
                     "1:"
                     : "+a"(result), "+r"(r10)
                     : "D"(flags), "S"(args), "d"(size), "r"(r12)
                     : "rcx", "r11", "memory");
    return result;
}
