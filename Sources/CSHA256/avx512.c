// Sixteen messages at once: word i of a register belongs to the message in lane i.
//
// The lanes of a call start together. A lane that has run out of blocks keeps its state by a mask
// until the others are done; when only a few are left, SHA-NI finishes them sooner.

#include "internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))

// What each lane still has to absorb.
typedef struct {
    _Alignas(64) const uint8_t *next[LANES];
    _Alignas(64) uint64_t blocks[LANES];
} lane_input;

// The truth tables of three-operand functions; the operands are the bits of 0xF0, 0xCC, 0xAA.
enum {
    XOR3 = 0xF0 ^ 0xCC ^ 0xAA,
    CHOOSE = (0xF0 & 0xCC) | (~0xF0 & 0xAA),
    MAJORITY = (0xF0 & 0xCC) | (0xF0 & 0xAA) | (0xCC & 0xAA),
};

#define ADD(x, y) _mm512_add_epi32(x, y)
#define XOR_OF_ROTATIONS(x, i, j, k) \
    _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, i), _mm512_ror_epi32(x, j), _mm512_ror_epi32(x, k), XOR3)
#define XOR_OF_ROTATIONS_AND_SHIFT(x, i, j, k) \
    _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, i), _mm512_ror_epi32(x, j), _mm512_srli_epi32(x, k), XOR3)

// One round. Instead of moving the words along, each round looks for them one place further back.
TARGET ALWAYS_INLINE void round_of(__m512i s[8], int round, __m512i wk) {
#define S(i) s[((i) - round) & 7]
    __m512i t = ADD(S(7), wk);
    t = ADD(t, _mm512_ternarylogic_epi32(S(4), S(5), S(6), CHOOSE));
    t = ADD(t, XOR_OF_ROTATIONS(S(4), 6, 11, 25));
    S(3) = ADD(S(3), t);
    t = ADD(t, _mm512_ternarylogic_epi32(S(0), S(1), S(2), MAJORITY));
    S(7) = ADD(t, XOR_OF_ROTATIONS(S(0), 2, 13, 22));
#undef S
}

TARGET ALWAYS_INLINE __m512i next_word(const __m512i w[WORDS], int i) {
    __m512i x = ADD(w[i], w[(i + 9) % WORDS]);
    x = ADD(x, XOR_OF_ROTATIONS_AND_SHIFT(w[(i + 1) % WORDS], 7, 18, 3));
    return ADD(x, XOR_OF_ROTATIONS_AND_SHIFT(w[(i + 14) % WORDS], 17, 19, 10));
}

TARGET ALWAYS_INLINE __m512i swap_bytes(__m512i x) {
    return _mm512_shuffle_epi8(x, _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
}

// Transposes the 4x4 words in each 128-bit part of the four registers.
TARGET ALWAYS_INLINE void transpose(__m512i out[4], const __m512i x[4]) {
    __m512i low01 = _mm512_unpacklo_epi32(x[0], x[1]), high01 = _mm512_unpackhi_epi32(x[0], x[1]);
    __m512i low23 = _mm512_unpacklo_epi32(x[2], x[3]), high23 = _mm512_unpackhi_epi32(x[2], x[3]);
    out[0] = _mm512_unpacklo_epi64(low01, low23);
    out[1] = _mm512_unpackhi_epi64(low01, low23);
    out[2] = _mm512_unpacklo_epi64(high01, high23);
    out[3] = _mm512_unpackhi_epi64(high01, high23);
}

// Words 4 * quarter and the three behind it of the sixteen blocks. Fetching a quarter of a row at a
// time, straight to its part of a register, spares the half of a 16x16 transposition that would move
// words between those parts.
TARGET ALWAYS_INLINE void load_words(__m512i w[4], const uint8_t *const rows[LANES], int quarter) {
    __m512i x[4];
    UNROLL for (int i = 0; i < 4; i++) {
#define QUARTER(lane) _mm_loadu_si128((const __m128i *)rows[lane] + quarter)
        x[i] = _mm512_castsi128_si512(QUARTER(i));
        x[i] = _mm512_mask_broadcast_i32x4(x[i], 0x00F0, QUARTER(i + 4));
        x[i] = _mm512_mask_broadcast_i32x4(x[i], 0x0F00, QUARTER(i + 8));
        x[i] = _mm512_mask_broadcast_i32x4(x[i], 0xF000, QUARTER(i + 12));
        x[i] = swap_bytes(x[i]);
#undef QUARTER
    }
    transpose(w, x);
}

TARGET ALWAYS_INLINE __m512i round_constant(int round) {
    return _mm512_set1_epi32((int)csha256_round_constants[round]);
}

TARGET ALWAYS_INLINE void load_states(__m512i s[8], const lane_states *from) {
    UNROLL for (int i = 0; i < 8; i++) s[i] = _mm512_load_si512(from->word[i]);
}

TARGET ALWAYS_INLINE void add_states(lane_states *to, const __m512i s[8], __mmask16 active) {
    UNROLL for (int i = 0; i < 8; i++) {
        __m512i before = _mm512_load_si512(to->word[i]);
        _mm512_store_si512(to->word[i], _mm512_mask_add_epi32(before, active, before, s[i]));
    }
}

// The rounds after the first sixteen, and the end.
TARGET ALWAYS_INLINE void later_rounds(__m512i w[WORDS], __m512i s[8], __m512i t[8]) {
    for (int base = WORDS; base < ROUNDS; base += WORDS) {
        UNROLL for (int i = 0; i < WORDS; i++) {
            w[i] = next_word(w, i);
            __m512i wk = ADD(w[i], round_constant(base + i));
            round_of(s, i, wk);
            if (t) round_of(t, i, wk);
        }
    }
}

// Absorbs one block of each active lane into one set of states, or into two from one schedule.
// `second` is constant where this is inlined.
TARGET ALWAYS_INLINE void absorb(lane_states *first, lane_states *second,
                                 const uint8_t *const rows[LANES], __mmask16 active) {
    __m512i w[WORDS], s[8], t[8];
    load_states(s, first);
    if (second) load_states(t, second);
    UNROLL for (int i = 0; i < WORDS; i++) {
        if (i % 4 == 0) load_words(&w[i], rows, i / 4);
        __m512i wk = ADD(w[i], round_constant(i));
        round_of(s, i, wk);
        if (second) round_of(t, i, wk);
    }
    later_rounds(w, s, second ? t : NULL);
    add_states(first, s, active);
    if (second) add_states(second, t, active);
}

// The second hash of an HMAC, over one block: the first one's digest and padding known beforehand.
TARGET static void absorb_digests(lane_states *outer, const lane_states *inner) {
    __m512i w[WORDS], s[8];
    load_states(w, inner);
    w[8] = _mm512_set1_epi32((int)0x80000000);
    for (int i = 9; i < WORDS - 1; i++) w[i] = _mm512_setzero_si512();
    w[WORDS - 1] = _mm512_set1_epi32((BLOCK + DIGEST) * 8);

    load_states(s, outer);
    UNROLL for (int i = 0; i < WORDS; i++) round_of(s, i, ADD(w[i], round_constant(i)));
    later_rounds(w, s, NULL);
    add_states(outer, s, (__mmask16)-1);
}

// Finishes the given lanes one by one with SHA-NI.
TARGET static void absorb_alone(lane_states *first, lane_states *second, const lane_input *input,
                                unsigned lanes) {
    for (; lanes; lanes &= lanes - 1) {
        int lane = __builtin_ctz(lanes);
        csha256_state a = lane_state(first, lane), b;
        if (second) {
            b = lane_state(second, lane);
            csha256_compress2(&a, &b, input->next[lane], input->blocks[lane]);
            set_lane_state(second, lane, &b);
        } else {
            csha256_compress(&a, input->next[lane], input->blocks[lane]);
        }
        set_lane_state(first, lane, &a);
    }
}

// What lanes without a block of their own read.
static const uint8_t idle_block[BLOCK];

TARGET ALWAYS_INLINE void absorb_all(lane_states *first, lane_states *second, lane_input *input,
                                     size_t min_lanes) {
    for (;;) {
        const __m512i low = _mm512_load_si512(&input->blocks[0]), high = _mm512_load_si512(&input->blocks[8]);
        const __mmask8 low_active = _mm512_test_epi64_mask(low, low);
        const __mmask8 high_active = _mm512_test_epi64_mask(high, high);
        const __mmask16 active = (__mmask16)(low_active | high_active << 8);
        if (active == 0) return;
        if ((size_t)__builtin_popcount(active) < min_lanes) {
            absorb_alone(first, second, input, active);
            return;
        }
        for (int lane = 0; lane < LANES; lane++)
            if (!(active >> lane & 1)) input->next[lane] = idle_block;

        // All move on by what the shortest of the active lanes has.
        const __m512i none = _mm512_set1_epi64(-1);
        uint64_t shortest = _mm512_reduce_min_epu64(_mm512_min_epu64(
            _mm512_mask_mov_epi64(none, low_active, low), _mm512_mask_mov_epi64(none, high_active, high)));
        for (uint64_t i = 0; i < shortest; i++) {
            absorb(first, second, input->next, active);
            for (int lane = 0; lane < LANES; lane++) input->next[lane] += (active >> lane & 1) * BLOCK;
        }
        for (int lane = 0; lane < LANES; lane++) input->blocks[lane] -= (active >> lane & 1) * shortest;
    }
}

TARGET static void absorb_one(lane_states *states, lane_input *input, size_t min_lanes) {
    absorb_all(states, NULL, input, min_lanes);
}

TARGET static void absorb_two(lane_states *first, lane_states *second, lane_input *input, size_t min_lanes) {
    absorb_all(first, second, input, min_lanes);
}

TARGET static void fill_lanes(lane_states *states, const csha256_state *s) {
    for (int i = 0; i < 8; i++) _mm512_store_si512(states->word[i], _mm512_set1_epi32((int)s->h[i]));
}

// Writes the digest of lane i to out[order[i]].
TARGET static void store_digests(uint8_t (*out)[DIGEST], const uint8_t *order, size_t count,
                                 const lane_states *states) {
    enum { HALF = DIGEST / 2 };
    _Alignas(64) uint8_t halves[2][4][4][HALF];  // of lane 4 * i + j at [.][j][i]
    for (int half = 0; half < 2; half++) {
        __m512i words[4], parts[4];
        for (int i = 0; i < 4; i++) words[i] = _mm512_load_si512(states->word[4 * half + i]);
        transpose(parts, words);
        for (int j = 0; j < 4; j++) _mm512_store_si512(halves[half][j], swap_bytes(parts[j]));
    }
    for (size_t lane = 0; lane < count; lane++) {
        memcpy(out[order[lane]], halves[0][lane % 4][lane / 4], HALF);
        memcpy(out[order[lane]] + HALF, halves[1][lane % 4][lane / 4], HALF);
    }
}

// Lane i of `to` becomes what lane[i] of `from` is.
TARGET static void choose_lanes(lane_states *to, const lane_states *from, __m512i lane) {
    for (int i = 0; i < 8; i++)
        _mm512_store_si512(to->word[i], _mm512_permutexvar_epi32(lane, _mm512_load_si512(from->word[i])));
}

TARGET void csha256_verify_lanes(const csha256_hmac_key *k, const csha256_job *jobs, const uint8_t *order,
                                 size_t count, const csha256_openings *openings, uint8_t (*sigs)[DIGEST],
                                 uint8_t (*hashes)[DIGEST], size_t min_lanes) {
    _Alignas(64) uint8_t hmac_tails[LANES][HMAC_TAIL], hash_tails[LANES][HASH_TAIL];
    _Alignas(64) uint32_t opening[LANES] = {0};
    lane_input whole, hmac_rest, hash_rest;
    const __m512i zero = _mm512_setzero_si512();
    for (size_t lane = 0; lane < LANES; lane++) {
        uint8_t *hmac_tail = hmac_tails[lane], *hash_tail = hash_tails[lane];
        whole.next[lane] = idle_block;
        hmac_rest.next[lane] = hmac_tail;
        hash_rest.next[lane] = hash_tail;
        whole.blocks[lane] = hmac_rest.blocks[lane] = hash_rest.blocks[lane] = 0;
        __m512i rest = zero;
        const csha256_job *job = lane < count ? &jobs[order[lane]] : NULL;
        if (job) {
            const size_t n = job->n;
            const size_t opened = openings ? 1 : 0;
            whole.next[lane] = job->entry + opened * BLOCK;
            whole.blocks[lane] = n / BLOCK - opened;
            if (opened) opening[lane] = openings->of_job[order[lane]];
            // Bytes that the mask leaves out are not touched, be they mapped or not.
            const __mmask64 mask = ((__mmask64)1 << n % BLOCK) - 1;
            rest = _mm512_maskz_loadu_epi8(mask, job->entry + n / BLOCK * BLOCK);
        }
        _mm512_store_si512(hmac_tail, rest);
        _mm512_store_si512(hmac_tail + BLOCK, zero);
        _mm512_store_si512(hash_tail, rest);
        _mm512_store_si512(hash_tail + BLOCK, zero);
        _mm512_store_si512(hash_tail + 2 * BLOCK, zero);
        if (job) {
            hmac_rest.blocks[lane] = finish_hmac_tail(hmac_tail, job->n);
            hash_rest.blocks[lane] = finish_hash_tail(hash_tail, job->n, job->sig_hex);
        }
    }

    lane_states inner, outer, plain;
    if (openings) {
        const __m512i lane = _mm512_load_si512(opening);
        if (k) choose_lanes(&inner, &openings->inner, lane);
        choose_lanes(&plain, &openings->plain, lane);
    } else {
        const csha256_state initial = csha256_initial();
        if (k) fill_lanes(&inner, &k->inner);
        fill_lanes(&plain, &initial);
    }
    if (k) {
        fill_lanes(&outer, &k->outer);
        absorb_two(&inner, &plain, &whole, min_lanes);
        absorb_one(&inner, &hmac_rest, min_lanes);
        absorb_digests(&outer, &inner);
        store_digests(sigs, order, count, &outer);
    } else {
        absorb_one(&plain, &whole, min_lanes);
    }
    absorb_one(&plain, &hash_rest, min_lanes);
    store_digests(hashes, order, count, &plain);
}

#else

void csha256_verify_lanes(const csha256_hmac_key *k, const csha256_job *jobs, const uint8_t *order,
                          size_t count, const csha256_openings *openings, uint8_t (*sigs)[DIGEST],
                          uint8_t (*hashes)[DIGEST], size_t min_lanes) {
    abort();
}

#endif
