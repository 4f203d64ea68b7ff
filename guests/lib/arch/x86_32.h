/* x86-32: `int $0x80`; the number in eax, arguments in ebx ecx edx esi edi ebp. The kernel answers
 * in eax, errors as -errno, and preserves everything else. */

static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
    /* ebp is the frame pointer and ebx may be taken, so the arguments travel as one array. */
    long regs[7] = {nr, a, b, c, d, e, f};
    long result = (long)regs;
    __asm__ volatile("pushl %%ebx\n\t"
                     "pushl %%esi\n\t"
                     "pushl %%edi\n\t"
                     "pushl %%ebp\n\t"
                     "movl 4(%%eax), %%ebx\n\t"
                     "movl 8(%%eax), %%ecx\n\t"
                     "movl 12(%%eax), %%edx\n\t"
                     "movl 16(%%eax), %%esi\n\t"
                     "movl 20(%%eax), %%edi\n\t"
                     "movl 24(%%eax), %%ebp\n\t"
                     "movl (%%eax), %%eax\n\t"
                     "int $0x80\n\t"
                     "popl %%ebp\n\t"
                     "popl %%edi\n\t"
                     "popl %%esi\n\t"
                     "popl %%ebx"
                     : "+a"(result)
                     : "m"(regs)
                     : "ecx", "edx", "memory");
    return result;
}

/* Where a new program begins: argc, argv, envp and auxv are on the stack. */
#define GUEST_START                              \
    __asm__(".globl _start\n"                    \
            ".type _start, @function\n"          \
            "_start:\n"                          \
            "    xorl %ebp, %ebp\n"              \
            "    movl %esp, %eax\n"              \
            "    andl $-16, %esp\n"              \
            "    subl $12, %esp\n"               \
            "    pushl %eax\n"                   \
            "    call guest_start\n"             \
            "    hlt\n")

/* The trampolines that a signal handler returns to: one for each kind of signal frame. The old
 * frame, for handlers without SA_SIGINFO, has the signal number on top of the stack. */
#define GUEST_RESTORER                           \
    __asm__(".globl guest_restorer\n"            \
            "guest_restorer:\n"                  \
            "    movl $173, %eax\n"              \
            "    int $0x80\n"                    \
            ".globl guest_old_restorer\n"        \
            "guest_old_restorer:\n"              \
            "    popl %eax\n"                    \
            "    movl $119, %eax\n"              \
            "    int $0x80\n")
#define GUEST_HAS_OLD_FRAME 1
#define GUEST_NEEDS_RESTORER 1

#ifndef GUEST_HOSTED
/* struct stat64 as the kernel fills it. */
struct stat {
    unsigned long long st_dev;
    unsigned int guest_pad0, guest_short_ino, st_mode, st_nlink, st_uid, st_gid;
    unsigned long long st_rdev;
    unsigned int guest_pad1;
    long long st_size;
    unsigned int st_blksize;
    unsigned long long st_blocks;
    unsigned int st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
    unsigned long long st_ino;
};
#endif

/* eclone(flags, args, size, pids): the child calls box[0](box[1]), and exits with its result.
 * On another stack it may not return into this frame, so its whole life is in here. */
static inline long raw_eclone(long nr, long flags, void *args, long size, int *pids, void **box)
{
    long regs[6] = {nr, flags, (long)args, size, (long)pids, (long)box};
    long result = (long)regs;
    __asm__ volatile("pushl %%ebx\n\t"
                     "pushl %%esi\n\t"
                     "pushl %%edi\n\t"
                     "movl 4(%%eax), %%ebx\n\t"
                     "movl 8(%%eax), %%ecx\n\t"
                     "movl 12(%%eax), %%edx\n\t"
                     "movl 16(%%eax), %%esi\n\t"
                     "movl 20(%%eax), %%edi\n\t"
                     "movl (%%eax), %%eax\n\t"
                     "int $0x80\n\t"
                     "testl %%eax, %%eax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "andl $-16, %%esp\n\t"
                     "subl $12, %%esp\n\t"
                     "pushl 4(%%edi)\n\t"
                     "call *(%%edi)\n\t"
                     "movl %%eax, %%ebx\n\t"
                     "movl $1, %%eax\n\t"
                     "int $0x80\n"
                     "1:\n\t"
                     "popl %%edi\n\t"
                     "popl %%esi\n\t"
                     "popl %%ebx"
                     : "+a"(result)
                     : "m"(regs)
                     : "ecx", "edx", "memory");
    return result;
}
