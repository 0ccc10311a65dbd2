// SHA-256 with the processor's own instructions, for the two shapes the ledger needs:
//
//     sig  = HMAC-SHA256(key, E)                  written as 64 lower-case hex characters
//     hash = SHA-256(E || "|sig:" || sig as hex)
//
// where E is an entry's canonical bytes. There is no portable code here: ask csha256_features()
// once, keep the answer (cpuid is slow inside a virtual machine), and use swift-crypto for whatever
// it does not offer. Calling a function whose feature is missing is a programming error: elsewhere
// than x86-64 it aborts, on x86-64 it ends in an illegal instruction.
//
// Nothing here allocates, keeps state between calls, or reads outside the buffers it is given.

#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#define CSHA256_NULLABLE _Nullable
#else
#define CSHA256_NULLABLE
#endif

/// A state between two blocks, as eight words in the machine's byte order.
typedef struct {
    uint32_t h[8];
} csha256_state;

enum {
    CSHA256_SHANI = 1,
    CSHA256_AVX512 = 2,
};

/// The features (CSHA256_... bits) that both the processor and the operating system support.
uint32_t csha256_features(void);

/// The state before the first block.
csha256_state csha256_initial(void);

// MARK: Compression. Needs CSHA256_SHANI.

/// Absorbs `nblocks` blocks of 64 bytes.
void csha256_compress(csha256_state *s, const uint8_t *blocks, size_t nblocks);

/// Absorbs the same blocks into two distinct states, working out the message schedule once.
void csha256_compress2(csha256_state *a, csha256_state *b, const uint8_t *blocks, size_t nblocks);

// MARK: Entries. Needs CSHA256_SHANI, except csha256_verify_batch.

/// An HMAC key as the states after its two key blocks. As secret as the key itself.
typedef struct {
    csha256_state inner, outer;
} csha256_hmac_key;

/// From a key of 32 bytes.
void csha256_hmac_key_init(csha256_hmac_key *k, const uint8_t *key);

/// Both digests of one entry, 32 bytes each.
void csha256_seal(const csha256_hmac_key *k, const uint8_t *entry, size_t n,
                  uint8_t *sig, uint8_t *hash);

/// Only the hash, from a signature already written as 64 hex characters; needs no key.
void csha256_hash_seal(const uint8_t *entry, size_t n, const uint8_t *sig_hex,
                       uint8_t *hash);

/// An entry with the 64 hex characters of the signature stored beside it. `entry` is not null even
/// when `n` is 0.
typedef struct {
    const uint8_t *entry;
    size_t n;
    const uint8_t *sig_hex;
} csha256_job;

/// For each job: the HMAC of its entry (unless `k` is null; `sigs` is then not touched and may be
/// null) and the hash of its entry with its stored signature. Compares nothing.
///
/// `use_features` is csha256_features() or a non-empty part of it; zero aborts. The outputs do not
/// depend on it. CSHA256_AVX512 works on 16 jobs of like length at a time, which it picks out of
/// up to 256: the larger the batch and the more alike its entries, the better. With CSHA256_SHANI the first
/// 64 bytes that several entries share are absorbed once.
void csha256_verify_batch(const csha256_hmac_key *CSHA256_NULLABLE k, const csha256_job *jobs,
                          size_t count, uint8_t (*CSHA256_NULLABLE sigs)[32], uint8_t (*hashes)[32],
                          uint32_t use_features);

// MARK: Bytes and text. Need no feature; their time does not depend on the contents.

/// 1 if the `n` bytes are equal, else 0.
int csha256_equal(const uint8_t *a, const uint8_t *b, size_t n);

/// Writes 32 bytes as 64 lower-case hex characters.
void csha256_hex(const uint8_t *in, uint8_t *out);

/// 1 if the 64 bytes at `hex64` are `digest` in lower-case hex, else 0.
int csha256_hex_equal(const uint8_t *digest, const uint8_t *hex64);

/// 1 if the 64 bytes are lower-case hex digits, else 0.
int csha256_is_hex(const uint8_t *text64);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
