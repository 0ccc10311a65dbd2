// Compression with the SHA instructions.
//
// sha256rnds2 does two rounds with a latency of about four cycles, but a new one can start every two:
// one message alone leaves half of the unit idle. Hence three shapes of the same loop: one state; two
// states fed from one schedule; two messages side by side.

#include "internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

enum { ROUNDS_PER_STEP = 4, STEPS = ROUNDS / ROUNDS_PER_STEP };

// The state as the instructions want it: words a, b, e, f and c, d, g, h, from the top down.
typedef struct {
    __m128i abef, cdgh;
} packed;

// The last four groups of four schedule words; group g is in w[g % 4].
typedef struct {
    __m128i w[4];
} schedule;

TARGET ALWAYS_INLINE packed load_state(const csha256_state *s) {
    __m128i dcba = _mm_loadu_si128((const __m128i *)&s->h[0]);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)&s->h[4]);
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    return (packed){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

TARGET ALWAYS_INLINE void store_state(csha256_state *s, packed p) {
    __m128i feba = _mm_shuffle_epi32(p.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(p.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)&s->h[0], _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)&s->h[4], _mm_alignr_epi8(dchg, feba, 8));
}

TARGET ALWAYS_INLINE packed add_states(packed x, packed y) {
    return (packed){_mm_add_epi32(x.abef, y.abef), _mm_add_epi32(x.cdgh, y.cdgh)};
}

// The four schedule words of one step plus their round constants; also brings the schedule on.
TARGET ALWAYS_INLINE __m128i next_words(schedule *s, const uint8_t *block, int step) {
    __m128i *w = s->w, *now = &w[step % 4];
    if (step < 4) {
        const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
        *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)block + step), swap);
    } else {
        // *now still holds the group four steps back.
        __m128i one = w[(step + 1) % 4], two = w[(step + 2) % 4], three = w[(step + 3) % 4];
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, one), _mm_alignr_epi8(three, two, 4));
        *now = _mm_sha256msg2_epu32(sum, three);
    }
    const __m128i *k = (const __m128i *)csha256_round_constants + step;
    return _mm_add_epi32(*now, _mm_loadu_si128(k));
}

TARGET ALWAYS_INLINE void four_rounds(packed *p, __m128i wk) {
    p->cdgh = _mm_sha256rnds2_epu32(p->cdgh, p->abef, wk);
    p->abef = _mm_sha256rnds2_epu32(p->abef, p->cdgh, _mm_shuffle_epi32(wk, 0x0E));
}

TARGET void csha256_compress(csha256_state *s, const uint8_t *blocks, size_t nblocks) {
    packed p = load_state(s);
    for (; nblocks > 0; nblocks--, blocks += BLOCK) {
        packed before = p;
        schedule words;
        UNROLL for (int step = 0; step < STEPS; step++) {
            four_rounds(&p, next_words(&words, blocks, step));
        }
        p = add_states(p, before);
    }
    store_state(s, p);
}

TARGET void csha256_compress2(csha256_state *a, csha256_state *b, const uint8_t *blocks, size_t nblocks) {
    packed p = load_state(a), q = load_state(b);
    for (; nblocks > 0; nblocks--, blocks += BLOCK) {
        packed p_before = p, q_before = q;
        schedule words;
        UNROLL for (int step = 0; step < STEPS; step++) {
            __m128i wk = next_words(&words, blocks, step);
            four_rounds(&p, wk);
            four_rounds(&q, wk);
        }
        p = add_states(p, p_before);
        q = add_states(q, q_before);
    }
    store_state(a, p);
    store_state(b, q);
}

TARGET void csha256_compress_pair(csha256_state *a, const uint8_t *a_blocks, csha256_state *b,
                                  const uint8_t *b_blocks, size_t nblocks) {
    packed p = load_state(a), q = load_state(b);
    for (; nblocks > 0; nblocks--, a_blocks += BLOCK, b_blocks += BLOCK) {
        packed p_before = p, q_before = q;
        schedule p_words, q_words;
        UNROLL for (int step = 0; step < STEPS; step++) {
            four_rounds(&p, next_words(&p_words, a_blocks, step));
            four_rounds(&q, next_words(&q_words, b_blocks, step));
        }
        p = add_states(p, p_before);
        q = add_states(q, q_before);
    }
    store_state(a, p);
    store_state(b, q);
}

#else

void csha256_compress(csha256_state *s, const uint8_t *blocks, size_t nblocks) { abort(); }

void csha256_compress2(csha256_state *a, csha256_state *b, const uint8_t *blocks, size_t nblocks) {
    abort();
}

void csha256_compress_pair(csha256_state *a, const uint8_t *a_blocks, csha256_state *b,
                           const uint8_t *b_blocks, size_t nblocks) {
    abort();
}

#endif
