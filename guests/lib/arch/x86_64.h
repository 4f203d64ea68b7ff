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
