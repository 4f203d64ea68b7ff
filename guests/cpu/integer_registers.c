/* Every integer register that a system call preserves is alive across one, flags included.
 *
 * prints:
 *     round 1
 *     round 2
 *     round 3
 *     everything is where it was
 */
#include "guest.h"

enum { CELLS = 40 };
long live_before[CELLS], live_after[CELLS];
void registers_across_getppid(long *from, long *to);

#if defined(__x86_64__)

#define COUNT 13
#define FLAG 13
__asm__("registers_across_getppid:\n"
        "    pushq %rbx\n    pushq %rbp\n    pushq %r12\n"
        "    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq live_before+0(%rip), %rbx\n"
        "    movq live_before+8(%rip), %rdx\n"
        "    movq live_before+16(%rip), %rsi\n"
        "    movq live_before+24(%rip), %rdi\n"
        "    movq live_before+32(%rip), %rbp\n"
        "    movq live_before+40(%rip), %r8\n"
        "    movq live_before+48(%rip), %r9\n"
        "    movq live_before+56(%rip), %r10\n"
        "    movq live_before+64(%rip), %r12\n"
        "    movq live_before+72(%rip), %r13\n"
        "    movq live_before+80(%rip), %r14\n"
        "    movq live_before+88(%rip), %r15\n"
        "    movl $110, %eax\n"
        "    stc\n"
        "    syscall\n"
        "    setc live_after+104(%rip)\n"
        "    movq %rbx, live_after+0(%rip)\n"
        "    movq %rdx, live_after+8(%rip)\n"
        "    movq %rsi, live_after+16(%rip)\n"
        "    movq %rdi, live_after+24(%rip)\n"
        "    movq %rbp, live_after+32(%rip)\n"
        "    movq %r8, live_after+40(%rip)\n"
        "    movq %r9, live_after+48(%rip)\n"
        "    movq %r10, live_after+56(%rip)\n"
        "    movq %r12, live_after+64(%rip)\n"
        "    movq %r13, live_after+72(%rip)\n"
        "    movq %r14, live_after+80(%rip)\n"
        "    movq %r15, live_after+88(%rip)\n"
        "    movq live_before+96(%rip), %rax\n"
        "    movq %rax, live_after+96(%rip)\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n"
        "    popq %r12\n    popq %rbp\n    popq %rbx\n"
        "    ret\n");

#elif defined(__i386__)

#define COUNT 6
#define FLAG 6
__asm__("registers_across_getppid:\n"
        "    pushl %ebx\n    pushl %esi\n    pushl %edi\n    pushl %ebp\n"
        "    movl live_before+0, %ebx\n"
        "    movl live_before+4, %ecx\n"
        "    movl live_before+8, %edx\n"
        "    movl live_before+12, %esi\n"
        "    movl live_before+16, %edi\n"
        "    movl live_before+20, %ebp\n"
        "    movl $64, %eax\n"
        "    stc\n"
        "    int $0x80\n"
        "    setc live_after+24\n"
        "    movl %ebx, live_after+0\n"
        "    movl %ecx, live_after+4\n"
        "    movl %edx, live_after+8\n"
        "    movl %esi, live_after+12\n"
        "    movl %edi, live_after+16\n"
        "    movl %ebp, live_after+20\n"
        "    popl %ebp\n    popl %edi\n    popl %esi\n    popl %ebx\n"
        "    ret\n");

#else /* both PowerPCs: r13-r31 are cells 0-18; the link register is 19, CR1-CR7 are 20 */

#define COUNT 21
#ifdef __powerpc64__
#define LOAD "ld"
#define STORE "std"
#define STORE_FRAME "stdu"
#define WORD "8"
#else
#define LOAD "lwz"
#define STORE "stw"
#define STORE_FRAME "stwu"
#define WORD "4"
#endif
#define EACH_PRESERVED(instruction)                                                    \
    ".irp reg,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n    " instruction \
    "\n.endr\n"
#define AT(cell, base) " 0, " #cell "*" WORD "(" #base ")\n    "
__asm__("registers_across_getppid:\n    "
        STORE_FRAME " 1, -320(1)\n    "
        EACH_PRESERVED(STORE " \\reg, 32+" WORD "*(\\reg-13)(1)")
        "    mflr 0\n    " STORE " 0, 32+" WORD "*20(1)\n    "
        "mfcr 0\n    " STORE " 0, 32+" WORD "*21(1)\n    "
        STORE " 4, 32+" WORD "*22(1)\n    "
        LOAD AT(19, 3) "mtlr 0\n    "
        LOAD AT(20, 3) "mtcrf 0xff, 0\n"
        EACH_PRESERVED(LOAD " \\reg, " WORD "*(\\reg-13)(3)")
        "    li 0, 64\n"
        "    sc\n    "
        LOAD " 4, 32+" WORD "*22(1)\n"
        EACH_PRESERVED(STORE " \\reg, " WORD "*(\\reg-13)(4)")
        "    mflr 0\n    " STORE AT(19, 4) "mfcr 0\n    "
        "rlwinm 0, 0, 0, 4, 31\n    " /* CR0 is the kernel's answer */
        STORE AT(20, 4)
        LOAD " 0, 32+" WORD "*20(1)\n    mtlr 0\n    "
        LOAD " 0, 32+" WORD "*21(1)\n    mtcrf 0xff, 0\n"
        EACH_PRESERVED(LOAD " \\reg, 32+" WORD "*(\\reg-13)(1)")
        "    addi 1, 1, 320\n"
        "    blr\n");

#endif

int main(void)
{
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < COUNT; i++)
            live_before[i] = (long)(0x9e3779b97f4a7c15ULL * (unsigned)(round * 64 + i));
#ifdef __powerpc__
        live_before[20] &= 0x0fffffff;
        live_before[19] &= ~3L;
#endif
        memset(live_after, 0, sizeof live_after);
        registers_across_getppid(live_before, live_after);
        check(memcmp(live_before, live_after, COUNT * sizeof(long)) == 0);
#ifdef FLAG
        check(*(unsigned char *)&live_after[FLAG] == 1);
#endif
        say("round %d\n", round);
    }
    say("everything is where it was\n");
    return 0;
}
