// What the sources of this target share. Not visible to Swift.

#ifndef CSHA256_INTERNAL_H
#define CSHA256_INTERNAL_H

#include <stdlib.h>
#include <string.h>

#include "CSHA256.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 64")
#endif
#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum {
    BLOCK = 64,       // bytes in a block
    WORDS = 16,       // words in a block
    ROUNDS = 64,
    DIGEST = 32,      // bytes in a digest
    HEX = 64,         // characters in a digest's hex form
    LANES = 16,       // 32-bit words in a zmm register
    MIN_PADDING = 9,  // the bit 1 in a byte of its own, and the length in 64 bits
    CHUNK = 256,      // jobs that are put in order together: an index fits a byte

    // After an entry's whole blocks up to 63 bytes of it are left. With what follows them they make
    // up at most these many blocks:
    HMAC_TAIL = 2 * BLOCK,  // rest, padding
    HASH_TAIL = 3 * BLOCK,  // rest, "|sig:", hex, padding
};

#define SIG_MARK "|sig:"
enum { SIG_MARK_LENGTH = sizeof SIG_MARK - 1, SUFFIX = SIG_MARK_LENGTH + HEX };

extern const uint32_t csha256_round_constants[ROUNDS];
extern const uint32_t csha256_initial_words[8];

// Pads the `used` bytes at the start of `tail`, which end a message of `total` bytes. What lies
// behind them must be zero. Returns the number of blocks.
ALWAYS_INLINE size_t pad(uint8_t *tail, size_t used, uint64_t total) {
    size_t blocks = (used + MIN_PADDING + BLOCK - 1) / BLOCK;
    uint64_t bits = __builtin_bswap64(total * 8);
    tail[used] = 0x80;
    memcpy(tail + blocks * BLOCK - sizeof bits, &bits, sizeof bits);
    return blocks;
}

// The end of the message for the HMAC's inner hash, whose first block was the key's. `tail` already
// holds the rest of the entry's `n` bytes, and zeros.
ALWAYS_INLINE size_t finish_hmac_tail(uint8_t tail[HMAC_TAIL], size_t n) {
    return pad(tail, n % BLOCK, BLOCK + (uint64_t)n);
}

// The same for the hash.
ALWAYS_INLINE size_t finish_hash_tail(uint8_t tail[HASH_TAIL], size_t n, const uint8_t *sig_hex) {
    size_t rest = n % BLOCK;
    memcpy(tail + rest, SIG_MARK, SIG_MARK_LENGTH);
    memcpy(tail + rest + SIG_MARK_LENGTH, sig_hex, HEX);
    return pad(tail, rest + SUFFIX, (uint64_t)n + SUFFIX);
}

// The states of all lanes: row i holds word i of each.
typedef struct {
    _Alignas(64) uint32_t word[8][LANES];
} lane_states;

// The state in one lane.
ALWAYS_INLINE csha256_state lane_state(const lane_states *states, int lane) {
    csha256_state s;
    for (int i = 0; i < 8; i++) s.h[i] = states->word[i][lane];
    return s;
}

ALWAYS_INLINE void set_lane_state(lane_states *states, int lane, const csha256_state *s) {
    for (int i = 0; i < 8; i++) states->word[i][lane] = s->h[i];
}

ALWAYS_INLINE void store_digest(uint8_t out[DIGEST], const csha256_state *s) {
    for (int i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(s->h[i]);
        memcpy(out + 4 * i, &word, sizeof word);
    }
}

// shani.c: absorbs blocks of two unrelated messages side by side, as many of one as of the other.
void csha256_compress_pair(csha256_state *a, const uint8_t *a_blocks, csha256_state *b,
                           const uint8_t *b_blocks, size_t nblocks);

// The few different first blocks of a chunk's jobs, as the states behind them. Entries begin with
// their action and actor, so that many begin alike: what they share need not be absorbed for each.
typedef struct {
    lane_states inner, plain;  // `inner` without meaning where there is no key
    uint8_t of_job[CHUNK];     // in which lane of those
} csha256_openings;

// avx512.c: csha256_verify_batch for jobs[order[0]], jobs[order[1]], ...: at most LANES of them.
// `openings` are those of `jobs`, or null. Lanes are given up to SHA-NI when fewer than `min_lanes` have
// work; 1 means never.
void csha256_verify_lanes(const csha256_hmac_key *k, const csha256_job *jobs, const uint8_t *order,
                          size_t count, const csha256_openings *openings, uint8_t (*sigs)[DIGEST],
                          uint8_t (*hashes)[DIGEST], size_t min_lanes);

#endif
