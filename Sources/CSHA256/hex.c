// Digests as text, and comparisons whose time tells nothing about what is compared.

#include "internal.h"

int csha256_equal(const uint8_t *a, const uint8_t *b, size_t n) {
    unsigned difference = 0;
    for (size_t i = 0; i < n; i++) difference |= a[i] ^ b[i];
    return difference == 0;
}

// Sixteen bytes at once, on any processor: a ledger's verification compares two digests with their hex
// forms per entry, which one byte at a time would cost a sixth of the hashing itself.
typedef uint8_t bytes16 __attribute__((vector_size(16)));

ALWAYS_INLINE bytes16 hex_digits(bytes16 nibbles) {
    const bytes16 is_letter = (bytes16)(nibbles > 9);  // all ones or all zeros in each byte
    return nibbles + '0' + (is_letter & ('a' - '0' - 10));
}

void csha256_hex(const uint8_t *in, uint8_t *out) {
    for (int half = 0; half < 2; half++) {
        bytes16 bytes;
        memcpy(&bytes, in + half * DIGEST / 2, sizeof bytes);
        const bytes16 high = hex_digits(bytes >> 4), low = hex_digits(bytes & 15);
        const bytes16 first = __builtin_shufflevector(
            high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const bytes16 second = __builtin_shufflevector(
            high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        memcpy(out + half * HEX / 2, &first, sizeof first);
        memcpy(out + half * HEX / 2 + sizeof first, &second, sizeof second);
    }
}

ALWAYS_INLINE int is_zero(bytes16 bytes) {
    uint64_t words[2];
    memcpy(words, &bytes, sizeof words);
    return (words[0] | words[1]) == 0;
}

int csha256_hex_equal(const uint8_t *digest, const uint8_t *hex64) {
    uint8_t hex[HEX];
    csha256_hex(digest, hex);
    bytes16 difference = {0};
    for (int i = 0; i < HEX; i += 16) {
        bytes16 a, b;
        memcpy(&a, hex + i, sizeof a);
        memcpy(&b, hex64 + i, sizeof b);
        difference |= a ^ b;
    }
    return is_zero(difference);
}

int csha256_is_hex(const uint8_t *text64) {
    bytes16 wrong = {0};
    for (int i = 0; i < HEX; i += 16) {
        bytes16 text;
        memcpy(&text, text64 + i, sizeof text);
        // Differences of unsigned bytes wrap around, so one comparison tests both borders.
        wrong |= (bytes16)(text - '0' > 9) & (bytes16)(text - 'a' > 5);
    }
    return is_zero(wrong);
}
