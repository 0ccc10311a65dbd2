// What the processor and the operating system offer.

#include "internal.h"

#if defined(__x86_64__)

#include <cpuid.h>

enum {
    LEAF_1_ECX_SSSE3 = 1u << 9,
    LEAF_1_ECX_SSE41 = 1u << 19,
    LEAF_1_ECX_OSXSAVE = 1u << 27,

    LEAF_7_EBX_AVX512F = 1u << 16,
    LEAF_7_EBX_SHA = 1u << 29,
    LEAF_7_EBX_AVX512BW = 1u << 30,

    // The operating system saves xmm, ymm, the mask registers, the upper halves of zmm0-15, zmm16-31.
    XCR0_ZMM = 1u << 1 | 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7,
};
static const unsigned LEAF_7_EBX_AVX512VL = 1u << 31;  // does not fit an enumerator

static unsigned xcr0(void) {
    unsigned low, high;
    // Not the intrinsic: that one wants the whole function compiled for a target with xsave.
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

uint32_t csha256_features(void) {
    unsigned eax, ebx, ecx, edx, ebx7, ecx7;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return 0;
    if (!__get_cpuid_count(7, 0, &eax, &ebx7, &ecx7, &edx)) return 0;

    uint32_t features = 0;
    const unsigned sse = LEAF_1_ECX_SSSE3 | LEAF_1_ECX_SSE41;
    if ((ecx & sse) == sse && (ebx7 & LEAF_7_EBX_SHA)) features |= CSHA256_SHANI;

    const unsigned avx512 = LEAF_7_EBX_AVX512F | LEAF_7_EBX_AVX512BW | LEAF_7_EBX_AVX512VL;
    if ((ebx7 & avx512) == avx512 && (ecx & LEAF_1_ECX_OSXSAVE) && (xcr0() & XCR0_ZMM) == XCR0_ZMM)
        features |= CSHA256_AVX512;
    return features;
}

#else

uint32_t csha256_features(void) { return 0; }

#endif
