/* Helpers of the PowerPC register stories: one instruction for each of 32 registers. */
#ifndef GUEST_POWERPC_ALL_H
#define GUEST_POWERPC_ALL_H

#define EACH_OF_32(instructions)                                                          \
    ".irp reg,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27," \
    "28,29,30,31\n\t" instructions "\n\t.endr\n\t"

#define TRAP_GETPPID "li 0, 64\n\tsc\n\t"

#define VOLATILE_IN_SC                                                                       \
    "r0", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "xer", \
        "memory"

#define ALL_FPRS                                                                              \
    "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13",   \
        "f14", "f15", "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25",   \
        "f26", "f27", "f28", "f29", "f30", "f31"

#define ALL_VRS                                                                               \
    "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",   \
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",   \
        "v26", "v27", "v28", "v29", "v30", "v31"

#endif
