/* Lines that are flat JSON objects. */
#ifndef JSON_H
#define JSON_H
#include "lines.h"

/* A line ends with a byte that is neither. */
static inline const uint8_t *skip_blanks(const uint8_t *at) {
    while (*at == ' ' || *at == '\t') at++;
    return at;
}

static int hex_of(const uint8_t *at, uint32_t *point) {
    *point = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t letter = at[i], digit = (uint8_t)(letter - '0');
        if (digit > 9) {
            digit = (uint8_t)((letter | 0x20) - 'a' + 10);
            if (digit < 10 || digit > 15) return 0;
        }
        *point = *point << 4 | digit;
    }
    return 1;
}

/* Copies a string without its escapes; null for an escape that is left to Python (a surrogate, NUL, a wrong one). */
static int unescape(Context *context, Span raw, Span *plain) {
    uint8_t *to = context->unescaped + context->unescaped_used;
    plain->at = to;
    for (int64_t i = 0; i < raw.length; i++) {
        if (raw.at[i] != '\\') {
            *to++ = raw.at[i];
            continue;
        }
        if (++i >= raw.length) return 0;
        uint32_t point;
        switch (raw.at[i]) {
        case '"': case '\\': case '/': *to++ = raw.at[i]; break;
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'n': *to++ = '\n'; break;
        case 'r': *to++ = '\r'; break;
        case 't': *to++ = '\t'; break;
        case 'u':
            if (raw.length - i < 5 || !hex_of(raw.at + i + 1, &point) || point == 0 || (point >= 0xD800 && point < 0xE000))
                return 0;
            i += 4;
            if (point < 0x80) {
                *to++ = (uint8_t)point;
            } else if (point < 0x800) {
                *to++ = (uint8_t)(0xC0 | point >> 6);
                *to++ = (uint8_t)(0x80 | (point & 0x3F));
            } else {
                *to++ = (uint8_t)(0xE0 | point >> 12);
                *to++ = (uint8_t)(0x80 | (point >> 6 & 0x3F));
                *to++ = (uint8_t)(0x80 | (point & 0x3F));
            }
            break;
        default: return 0;
        }
    }
    plain->length = to - plain->at;
    context->unescaped_used += plain->length;
    return 1;
}

/* The first quote, backslash or control byte from `at` on; a line ends with one. */
static inline const uint8_t *special(const uint8_t *at) {
#if defined(__SSE2__)
    for (;; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at), most = _mm_set1_epi8(0x1F);
        __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, most), most);
        int marks = _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(are(bytes, '"'), are(bytes, '\\'))));
        if (marks) return at + __builtin_ctz((unsigned)marks);
    }
#else
    /* Subtracting marks the top bit of a byte that was below; marks above the first one may be wrong. */
    const uint64_t ones = 0x0101010101010101ull, tops = ones << 7;
    for (;; at += 8) {
        uint64_t word = word_at(at), quote = word ^ ones * '"', slash = word ^ ones * '\\';
        uint64_t marks = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word);
        if (marks & tops) return at + (__builtin_ctzll(marks & tops) >> 3);
    }
#endif
}

/* A string from its opening quote on: what is between the quotes; null where it has no end or a raw control byte. */
static const uint8_t *read_string(const uint8_t *at, const uint8_t *end, Span *span, int *escaped) {
    if (at >= end || *at != '"') return NULL;
    span->at = ++at;
    *escaped = 0;
    for (;;) {
        at = special(at);
        if (*at < 0x20) return NULL;
        if (*at == '"') {
            span->length = at - span->at;
            return at + 1;
        }
        *escaped = 1;
        if (end - at < 2) return NULL;
        at += 2;
    }
}

static int is_word(const uint8_t *at, const uint8_t *end, const char *word, int64_t length) {
    return end - at >= length && memcmp(at, word, (size_t)length) == 0;
}

static int32_t find_key(const Key *keys, int32_t count, Span name) {
    for (int32_t i = 0; i < count; i++)
        if (keys[i].length == name.length + 3 && same(keys[i].name + 1, name.at, name.length)) return i;
    return -1;
}

/* Adds a pair to the object of those whose keys are not known; there is room for a whole line. */
static int64_t add_pair(Context *context, int64_t used, const uint8_t *at, const uint8_t *end) {
    uint8_t *others = context->others + context->others_used;
    others[used] = used ? ',' : '{';
    used++;
    memcpy(others + used, at, (size_t)(end - at));
    return used + (end - at);
}

/* Gives the row that is being read the object that was made of its other pairs. */
static void set_others(Context *context, int64_t length) {
    set_value(context, context->others_column, (Span){context->others + context->others_used, length});
    context->others_used += length;
}

/* `order` holds, for each key, the key that stood behind it last time: a guess that is nearly always right. */
static int read_json_line(Context *context, const uint8_t *at, const uint8_t *end, const Key *keys, int32_t count,
                          int32_t *order) {
    uint64_t seen = 0;
    int64_t others = 0;
    int32_t known = 0, previous = count;
    *filled_of(context) = 0;
    if (at >= end || *at++ != '{') return 0;
    for (;;) {
        Span name, text;
        int escaped, nothing = 0;
        int32_t key = order[previous];
        at = skip_blanks(at);
        const uint8_t *pair = at;
        if (end - at > keys[key].length && same(at, keys[key].name, keys[key].length)) {
            at += keys[key].length;
        } else {
            at = read_string(at, end, &name, &escaped);
            if (at == NULL || escaped) return 0;
            at = skip_blanks(at);
            if (at >= end || *at++ != ':') return 0;
            key = find_key(keys, count, name);
        }
        at = skip_blanks(at);
        if (at >= end) return 0;
        int32_t column = -1;
        if (key >= 0) {
            if (seen >> key & 1) return 0; /* which of two equal keys counts is for Python to say */
            seen |= 1ull << key;
            order[previous] = key;
            previous = key;
            known++;
            column = keys[key].column;
        } else if (context->others_column < 0) {
            return 0;
        }
        if (*at == '"') {
            at = read_string(at, end, &text, &escaped);
            if (at == NULL) return 0;
            if (escaped && !unescape(context, text, &text)) return 0;
            if (column >= 0 && !read_value(context, column, text)) return 0;
            if (column >= 0 && !context->gaps && is_nothing(text)) return 0;
        } else if (*at >= '0' && *at <= '9') {
            const uint8_t *first = at;
            while (at < end && *at >= '0' && *at <= '9') at++;
            if (*first == '0' && at - first > 1) return 0;
            if (column >= 0) {
                if (context->columns[column].kind == TIME) return 0;
                if (!read_value(context, column, (Span){first, at - first})) return 0;
            } else if (at - first > MOST_DIGITS) {
                return 0;
            }
        } else if (is_word(at, end, "null", 4)) {
            at += 4;
            nothing = 1;
        } else if (column < 0 && is_word(at, end, "true", 4)) {
            at += 4;
        } else if (column < 0 && is_word(at, end, "false", 5)) {
            at += 5;
        } else {
            return 0;
        }
        if (key < 0 && !nothing) others = add_pair(context, others, pair, at);
        at = skip_blanks(at);
        if (at >= end) return 0;
        if (*at == '}') break;
        if (*at++ != ',') return 0;
    }
    if (others) {
        context->others[context->others_used + others++] = '}';
        set_others(context, others);
    }
    return at + 1 == end && known >= context->fewest_keys &&
           (has_value(context, context->proof[0]) || has_value(context, context->proof[1]));
}

static void guess_order(int32_t *order, int32_t count) {
    for (int32_t i = 0; i <= count; i++) order[i] = i + 1 < count ? i + 1 : 0;
}

/* Reads a block of flat JSON objects, one a line, with at least `fewest_keys` known keys and a value in one of the two
 * `proof` columns. What has another key goes as one object into the column `others`; where that is negative, it makes
 * the line odd. Without `gaps`, so does an empty string or `-` under a known key. 0 where memory ends, else 1. */
int32_t native_read_json(Context *context, const uint8_t *data, int64_t length, const Key *keys, int32_t count,
                         int32_t fewest_keys, int32_t proof, int32_t other_proof, int32_t others, int32_t gaps) {
    int32_t order[MOST_COLUMNS + 1];
    Lines lines;
    if (count > MOST_COLUMNS || !start_block(context, length)) return 0;
    if (!grow((void **)&context->unescaped, &context->unescaped_room, length + MARGIN, 1)) return 0;
    if (!grow((void **)&context->others, &context->others_room, others < 0 ? 0 : length + MARGIN, 1)) return 0;
    context->others_column = others;
    context->fewest_keys = fewest_keys;
    context->gaps = gaps;
    context->proof[0] = proof, context->proof[1] = other_proof;
    guess_order(order, count);
    if (!start_lines(&lines, context, data, length)) return 0;
    while (next_line(&lines)) {
        int sound = read_json_line(context, line_at(&lines), line_end(&lines), keys, count, order);
        if (!end_line(context, &lines, sound)) return 0;
    }
    return add_batch(context);
}

#endif
