// The two digests of an entry: HMAC-SHA256(key, E) and SHA-256(E || "|sig:" || hex).
//
// The HMAC's key block is exactly one block, so its inner hash sees E at the same alignment as the
// plain hash does: the whole blocks of E go into both states with one message schedule. What is left
// of E is followed by padding in the one and by the signature in the other, and is dealt with apart.

#include "internal.h"

enum { INNER_PAD = 0x36, OUTER_PAD = 0x5C };

void csha256_hmac_key_init(csha256_hmac_key *k, const uint8_t *key) {
    uint8_t inner[BLOCK], outer[BLOCK];
    memset(inner, INNER_PAD, sizeof inner);
    memset(outer, OUTER_PAD, sizeof outer);
    for (int i = 0; i < 32; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    k->inner = k->outer = csha256_initial();
    csha256_compress(&k->inner, inner, 1);
    csha256_compress(&k->outer, outer, 1);
}

// The second hash of an HMAC is over one block behind the key's: the first one's digest, padded.
static void outer_block(uint8_t block[BLOCK], const csha256_state *inner) {
    memset(block, 0, BLOCK);
    store_digest(block, inner);
    pad(block, DIGEST, BLOCK + DIGEST);
}

static void start_tail(uint8_t *tail, size_t size, const uint8_t *entry, size_t n) {
    memset(tail, 0, size);
    memcpy(tail, entry + n / BLOCK * BLOCK, n % BLOCK);
}

static void hash_rest(csha256_state *hash, const uint8_t *entry, size_t n, const uint8_t *sig_hex,
                      uint8_t out[DIGEST]) {
    uint8_t tail[HASH_TAIL];
    start_tail(tail, sizeof tail, entry, n);
    csha256_compress(hash, tail, finish_hash_tail(tail, n, sig_hex));
    store_digest(out, hash);
}

void csha256_seal(const csha256_hmac_key *k, const uint8_t *entry, size_t n, uint8_t *sig,
                  uint8_t *hash) {
    csha256_state inner = k->inner, outer = k->outer, plain = csha256_initial();
    csha256_compress2(&inner, &plain, entry, n / BLOCK);

    uint8_t tail[HMAC_TAIL], block[BLOCK], hex[HEX];
    start_tail(tail, sizeof tail, entry, n);
    csha256_compress(&inner, tail, finish_hmac_tail(tail, n));
    outer_block(block, &inner);
    csha256_compress(&outer, block, 1);
    store_digest(sig, &outer);

    csha256_hex(sig, hex);
    hash_rest(&plain, entry, n, hex, hash);
}

void csha256_hash_seal(const uint8_t *entry, size_t n, const uint8_t *sig_hex, uint8_t *hash) {
    csha256_state plain = csha256_initial();
    csha256_compress(&plain, entry, n / BLOCK);
    hash_rest(&plain, entry, n, sig_hex, hash);
}

// Differs for most blocks that differ.
ALWAYS_INLINE uint64_t fingerprint(const uint8_t block[BLOCK]) {
    uint64_t words[BLOCK / 8], mixed = 0;
    memcpy(words, block, sizeof words);
    for (int i = 0; i < BLOCK / 8; i++) mixed = (mixed << 7 | mixed >> 57) ^ words[i];
    return mixed;
}

// Finds the openings of at most CHUNK jobs; null if there are more than lanes, or too many to gain by
// it, or a job has no whole block.
static const csha256_openings *find_openings(csha256_openings *o, const csha256_hmac_key *k,
                                             const csha256_job *jobs, size_t count) {
    const uint8_t *blocks[LANES];
    uint64_t fingerprints[LANES];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].n < BLOCK) return NULL;
        const uint64_t sought = fingerprint(jobs[i].entry);
        // The one found last comes first: it is the likeliest.
        size_t left = found;
        while (left > 0 && (fingerprints[left - 1] != sought ||
                            memcmp(blocks[left - 1], jobs[i].entry, BLOCK) != 0))
            left--;
        if (left == 0) {
            if (found == LANES) return NULL;
            blocks[found] = jobs[i].entry;
            fingerprints[found] = sought;
            left = ++found;
        }
        o->of_job[i] = (uint8_t)(left - 1);
    }
    if (found > count / 2) return NULL;
    for (size_t lane = 0; lane < found; lane++) {
        csha256_state plain = csha256_initial(), inner = k ? k->inner : plain;
        csha256_compress2(&inner, &plain, blocks[lane], 1);
        set_lane_state(&o->inner, (int)lane, &inner);
        set_lane_state(&o->plain, (int)lane, &plain);
    }
    return o;
}

// The states in front of a job's first block, or behind it if `openings` know it; says whether they do.
static size_t begin(csha256_state *inner, csha256_state *plain, const csha256_hmac_key *k,
                    const csha256_openings *openings, size_t i) {
    if (openings) {
        *inner = lane_state(&openings->inner, openings->of_job[i]);
        *plain = lane_state(&openings->plain, openings->of_job[i]);
        return 1;
    }
    *plain = csha256_initial();
    *inner = k ? k->inner : *plain;
    return 0;
}

// One job with SHA-NI. The signature is at hand, so that unlike in sealing the two tails can be
// absorbed side by side: one or two blocks and the outer one, against two or three blocks.
static void verify_one(const csha256_hmac_key *k, const csha256_job *jobs, size_t i,
                       const csha256_openings *openings, uint8_t sig[DIGEST], uint8_t out[DIGEST]) {
    const csha256_job *job = &jobs[i];
    csha256_state inner, plain, outer = k->outer;
    const size_t opened = begin(&inner, &plain, k, openings, i);
    csha256_compress2(&inner, &plain, job->entry + opened * BLOCK, job->n / BLOCK - opened);

    uint8_t hmac_tail[HMAC_TAIL], hash_tail[HASH_TAIL], block[BLOCK];
    start_tail(hmac_tail, sizeof hmac_tail, job->entry, job->n);
    start_tail(hash_tail, sizeof hash_tail, job->entry, job->n);
    size_t hmac_blocks = finish_hmac_tail(hmac_tail, job->n);
    size_t hash_blocks = finish_hash_tail(hash_tail, job->n, job->sig_hex);

    csha256_compress_pair(&inner, hmac_tail, &plain, hash_tail, hmac_blocks);
    outer_block(block, &inner);
    csha256_compress_pair(&outer, block, &plain, hash_tail + hmac_blocks * BLOCK, 1);
    csha256_compress(&plain, hash_tail + (hmac_blocks + 1) * BLOCK, hash_blocks - hmac_blocks - 1);

    store_digest(sig, &outer);
    store_digest(out, &plain);
}

// Two jobs without a key, side by side.
static void hash_two(const csha256_job *jobs, size_t i, size_t j, const csha256_openings *openings,
                     uint8_t (*hashes)[DIGEST]) {
    const csha256_job *a = &jobs[i], *b = &jobs[j];
    csha256_state p, q, none;
    const size_t opened = begin(&none, &p, NULL, openings, i);
    begin(&none, &q, NULL, openings, j);
    const size_t a_whole = a->n / BLOCK, b_whole = b->n / BLOCK;
    const size_t both = a_whole < b_whole ? a_whole : b_whole;
    csha256_compress_pair(&p, a->entry + opened * BLOCK, &q, b->entry + opened * BLOCK, both - opened);
    csha256_compress(&p, a->entry + both * BLOCK, a_whole - both);
    csha256_compress(&q, b->entry + both * BLOCK, b_whole - both);

    enum { AT_LEAST = 2 };  // what follows the rest alone takes more than one block
    uint8_t a_tail[HASH_TAIL], b_tail[HASH_TAIL];
    start_tail(a_tail, sizeof a_tail, a->entry, a->n);
    start_tail(b_tail, sizeof b_tail, b->entry, b->n);
    size_t a_blocks = finish_hash_tail(a_tail, a->n, a->sig_hex);
    size_t b_blocks = finish_hash_tail(b_tail, b->n, b->sig_hex);
    csha256_compress_pair(&p, a_tail, &q, b_tail, AT_LEAST);
    csha256_compress(&p, a_tail + AT_LEAST * BLOCK, a_blocks - AT_LEAST);
    csha256_compress(&q, b_tail + AT_LEAST * BLOCK, b_blocks - AT_LEAST);
    store_digest(hashes[i], &p);
    store_digest(hashes[j], &q);
}

static void verify_each(const csha256_hmac_key *k, const csha256_job *jobs, const uint8_t *order,
                        size_t count, const csha256_openings *openings, uint8_t (*sigs)[DIGEST],
                        uint8_t (*hashes)[DIGEST]) {
    if (k) {
        for (size_t i = 0; i < count; i++)
            verify_one(k, jobs, order[i], openings, sigs[order[i]], hashes[order[i]]);
        return;
    }
    size_t i = 0;
    for (; i + 2 <= count; i += 2) hash_two(jobs, order[i], order[i + 1], openings, hashes);
    if (i < count) {
        const csha256_job *last = &jobs[order[i]];
        csha256_hash_seal(last->entry, last->n, last->sig_hex, hashes[order[i]]);
    }
}

// Lanes work in lock step, so jobs of like length belong together. Two jobs take the same time if they
// have the same number of whole blocks and both tails of the same number of blocks; there are three
// combinations of the latter. Longest first, so that those left over at the end are short.
enum { KINDS_OF_TAIL = 3, SORTED_BLOCKS = 40, KEYS = (SORTED_BLOCKS + 1) * KINDS_OF_TAIL };

static unsigned sort_key(size_t n) {
    size_t whole = n / BLOCK, rest = n % BLOCK;
    size_t blocks = whole < SORTED_BLOCKS ? whole : SORTED_BLOCKS;
    size_t kind = (rest + SUFFIX + MIN_PADDING > 2 * BLOCK) + (rest + MIN_PADDING > BLOCK);
    return (unsigned)(KEYS - 1 - (blocks * KINDS_OF_TAIL + kind));
}

static void sort_jobs(uint8_t *order, const csha256_job *jobs, size_t count) {
    uint16_t start[KEYS + 1] = {0};
    for (size_t i = 0; i < count; i++) start[sort_key(jobs[i].n) + 1]++;
    for (size_t i = 1; i < KEYS; i++) start[i] += start[i - 1];
    for (size_t i = 0; i < count; i++) order[start[sort_key(jobs[i].n)]++] = (uint8_t)i;
}

// With fewer busy lanes than this SHA-NI is faster. Measured on a Xeon of the fifth generation.
enum { MIN_LANES = 8 };

void csha256_verify_batch(const csha256_hmac_key *k, const csha256_job *jobs, size_t count,
                          uint8_t (*sigs)[32], uint8_t (*hashes)[32], uint32_t use_features) {
    const int shani = (use_features & CSHA256_SHANI) != 0, avx512 = (use_features & CSHA256_AVX512) != 0;
    if (!shani && !avx512) abort();
    const size_t min_lanes = !avx512 ? SIZE_MAX : shani ? MIN_LANES : 1;

    for (size_t done = 0, chunk; done < count; done += chunk) {
        uint8_t order[CHUNK];
        chunk = count - done < CHUNK ? count - done : CHUNK;
        sort_jobs(order, jobs + done, chunk);
        csha256_openings found;
        const csha256_openings *openings = shani ? find_openings(&found, k, jobs + done, chunk) : NULL;
        for (size_t at = 0, lanes; at < chunk; at += lanes) {
            lanes = chunk - at < LANES ? chunk - at : LANES;
            uint8_t(*chunk_sigs)[DIGEST] = k ? sigs + done : NULL;
            if (lanes >= min_lanes)
                csha256_verify_lanes(k, jobs + done, order + at, lanes, openings, chunk_sigs, hashes + done,
                                     min_lanes);
            else
                verify_each(k, jobs + done, order + at, lanes, openings, chunk_sigs, hashes + done);
        }
    }
}
