/* The whole x87 stack, every SSE register and both control words, alive across a system call.
 *
 * arches: x86_32 x86_64
 * prints:
 *     round 1
 *     round 2
 *     round 3
 *     control words 0f7f 7f80, and the defaults are back
 *     sum 90f0a2b
 */
#include "guest.h"

#ifdef __x86_64__
#define TRAP "movl $110, %%eax\n\tsyscall\n\t"
#define XMM_COUNT 16
#else
#define TRAP "movl $64, %%eax\n\tint $0x80\n\t"
#define XMM_COUNT 8
#endif

struct block {
    unsigned char xmm[16][16];
    unsigned char st[8][16]; /* 10 bytes are used */
    unsigned short control, pad;
    unsigned int mxcsr;
} __attribute__((aligned(16)));

static struct block before, after;

static void across_a_syscall(void)
{
    __asm__ volatile(
        "fninit\n\t"
        "fldt 0x170(%0)\n\tfldt 0x160(%0)\n\tfldt 0x150(%0)\n\tfldt 0x140(%0)\n\t"
        "fldt 0x130(%0)\n\tfldt 0x120(%0)\n\tfldt 0x110(%0)\n\tfldt 0x100(%0)\n\t"
        "fldcw 0x180(%0)\n\t"
        "ldmxcsr 0x184(%0)\n\t"
        "movaps 0x00(%0), %%xmm0\n\tmovaps 0x10(%0), %%xmm1\n\t"
        "movaps 0x20(%0), %%xmm2\n\tmovaps 0x30(%0), %%xmm3\n\t"
        "movaps 0x40(%0), %%xmm4\n\tmovaps 0x50(%0), %%xmm5\n\t"
        "movaps 0x60(%0), %%xmm6\n\tmovaps 0x70(%0), %%xmm7\n\t"
#ifdef __x86_64__
        "movaps 0x80(%0), %%xmm8\n\tmovaps 0x90(%0), %%xmm9\n\t"
        "movaps 0xa0(%0), %%xmm10\n\tmovaps 0xb0(%0), %%xmm11\n\t"
        "movaps 0xc0(%0), %%xmm12\n\tmovaps 0xd0(%0), %%xmm13\n\t"
        "movaps 0xe0(%0), %%xmm14\n\tmovaps 0xf0(%0), %%xmm15\n\t"
#endif
        TRAP
        "movaps %%xmm0, 0x00(%1)\n\tmovaps %%xmm1, 0x10(%1)\n\t"
        "movaps %%xmm2, 0x20(%1)\n\tmovaps %%xmm3, 0x30(%1)\n\t"
        "movaps %%xmm4, 0x40(%1)\n\tmovaps %%xmm5, 0x50(%1)\n\t"
        "movaps %%xmm6, 0x60(%1)\n\tmovaps %%xmm7, 0x70(%1)\n\t"
#ifdef __x86_64__
        "movaps %%xmm8, 0x80(%1)\n\tmovaps %%xmm9, 0x90(%1)\n\t"
        "movaps %%xmm10, 0xa0(%1)\n\tmovaps %%xmm11, 0xb0(%1)\n\t"
        "movaps %%xmm12, 0xc0(%1)\n\tmovaps %%xmm13, 0xd0(%1)\n\t"
        "movaps %%xmm14, 0xe0(%1)\n\tmovaps %%xmm15, 0xf0(%1)\n\t"
#endif
        "stmxcsr 0x184(%1)\n\t"
        "fnstcw 0x180(%1)\n\t"
        "fstpt 0x100(%1)\n\tfstpt 0x110(%1)\n\tfstpt 0x120(%1)\n\tfstpt 0x130(%1)\n\t"
        "fstpt 0x140(%1)\n\tfstpt 0x150(%1)\n\tfstpt 0x160(%1)\n\tfstpt 0x170(%1)\n\t"
        "fninit\n\t"
        "ldmxcsr (%2)\n\t"
        :
        : "S"(&before), "D"(&after), "b"(&(unsigned int){0x1f80})
        : "eax", "ecx", "edx", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
          "xmm7"
#ifdef __x86_64__
          , "r11", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#endif
    );
}

static void prepare(int round)
{
    for (int i = 0; i < XMM_COUNT; i++)
        for (int j = 0; j < 16; j++)
            before.xmm[i][j] = (unsigned char)(round * 61 + i * 16 + j);
    for (int i = 0; i < 8; i++) {
        long double value = (i % 2 ? -1.0L : 1.0L) / (long double)(round * 8 + i + 3);
        memcpy(before.st[i], &value, 10);
    }
    before.control = 0x0f7f; /* round toward zero, 64-bit precision */
    before.mxcsr = 0x7f80;   /* round toward zero */
}

int main(void)
{
    uint32_t sum = 2166136261u;
    for (int round = 1; round <= 3; round++) {
        prepare(round);
        memset(&after, 0, sizeof after);
        across_a_syscall();
        check(memcmp(before.xmm, after.xmm, sizeof before.xmm) == 0);
        check(memcmp(before.st, after.st, sizeof before.st) == 0);
        check(before.control == after.control && before.mxcsr == after.mxcsr);
        sum = fold(sum, after.st, sizeof after.st);
        sum = fold(sum, after.xmm, 8 * 16);
        say("round %d\n", round);
    }
    volatile double tenth = 1.0, ten = 10.0;
    tenth = tenth / ten;
    check(tenth == 0.1);
    say("control words %04x %04x, and the defaults are back\n", after.control, after.mxcsr);
    say("sum %x\n", sum);
    return 0;
}
