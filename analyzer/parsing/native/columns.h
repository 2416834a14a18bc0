/* Columns that grow by rows: what is gathered, its memory, and a dictionary for each column of words. */
#ifndef COLUMNS_H
#define COLUMNS_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum kind { IGNORED, TEXT, CODED, NUMBER, STATUS, TIME };

enum { OF_CLUSTER = -1 }; /* three times in `outbound|80|subset|host` and the like, else not at all */

enum { MOST_COLUMNS = 64, MOST_DIGITS = 18, STATUS_DIGITS = 3, MOST_OTHERS = 16 };

enum { MOST_LETTERS = INT32_MAX / 4 }; /* of a block; offsets are 32 bits wide, and others may take twice their length */

enum { MARGIN = 64 }; /* bytes that may be read behind a value, whatever they are */
enum { BATCH = 64 };  /* rows that are gathered before they go to their columns: those of one word of `valid` */

typedef struct {
    const uint8_t *at;
    int64_t length;
} Span;

/* A dictionary: open addressing over the values met so far, grown at half load. */
typedef struct {
    uint32_t hash;
    int32_t code; /* -1: free */
} Slot;

typedef struct {
    int32_t kind;
    int64_t nulls, nulls_before; /* in all, and in the blocks before this one */
    uint8_t *valid;   /* one bit a row; those behind the last row are 0 */
    int64_t *numbers; /* NUMBER, STATUS, TIME */
    int32_t *codes;   /* CODED: codes; TEXT: offsets, one more than rows */
    uint8_t *letters; /* TEXT: the values of all rows; CODED: the distinct values */
    int64_t letters_room, letters_used;
    int32_t *ends;    /* CODED: where each distinct value ends in `letters`, behind a 0 */
    int64_t ends_room, values_used;
    Slot *slots;
    int64_t slots_room;
    uint64_t seeds[2]; /* of its hashes */
} Column;

typedef struct {
    const uint8_t *literal; /* what follows the field; before the first field: field -1 */
    const uint8_t *marks;   /* letters that the value does not hold */
    int32_t literal_length, marks_length;
    int32_t column;         /* -1: no column */
    int32_t inside;         /* how often the value itself holds the letter that the literal begins with, or OF_CLUSTER */
} Step;

typedef struct {
    const uint8_t *name; /* as it stands in a line: in quotes with a colon behind, or with an equals sign behind */
    int32_t length;
    int32_t column;
} Key;

typedef struct {
    int32_t columns_used;
    Column columns[MOST_COLUMNS];
    int64_t rows, rows_room;
    int64_t rows_before;                     /* rows of the blocks before this one */
    int64_t *lines, lines_room;              /* number in the block of the line of each row that came of it */
    int64_t odd;
    int64_t *odd_lines, *odd_starts, *odd_ends;
    uint8_t *unescaped;                      /* JSON strings without their escapes; as long as the block */
    int64_t unescaped_room, unescaped_used;
    uint8_t *others;                         /* JSON pairs of a line whose keys are not known, as one object */
    int64_t others_room;
    int32_t others_column;                   /* negative: a line that has any is odd */
    int32_t proof[2];                        /* JSON: columns of which one must be there */
    int32_t fewest_keys;
    int32_t gaps;                            /* JSON: whether a known key may stand before nothing, or `-` */
    int64_t others_used;
    int64_t first;                           /* the first row of the batch */
    uint64_t filled[BATCH];                  /* which columns have a value in each of its rows */
    Span (*batch)[BATCH];                    /* what each column says in its rows; the last is for what has no column */
    uint8_t *tail;                           /* the last lines of a block, with a margin behind */
    int64_t tail_room;
    uint32_t *places;                        /* of marks in a text */
    int64_t places_room;
    uint64_t minute_words[2];                /* the minute of the last time that was read, as it was written */
    int64_t minute;                          /* and in microseconds */
} Context;

/* ---------------------------------------------------------------- words */

/* Eight bytes, the first of them the lowest. */
static inline uint64_t word_at(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void put_word(uint8_t *at, uint64_t word) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(at, &word, 8);
}

static inline uint64_t half_word_at(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

static inline int differ_in_sixteen(const uint8_t *a, const uint8_t *b) {
    return ((word_at(a) ^ word_at(b)) | (word_at(a + 8) ^ word_at(b + 8))) != 0;
}

/* Whether two stretches hold the same bytes; most are short, and a call costs more than the bytes do. The last words
 * may overlap those before them. */
static inline int same(const uint8_t *a, const uint8_t *b, int64_t length) {
    if (length >= 16) {
        for (int64_t i = 0; i < length - 16; i += 16)
            if (differ_in_sixteen(a + i, b + i)) return 0;
        return !differ_in_sixteen(a + length - 16, b + length - 16);
    }
    if (length >= 8) return word_at(a) == word_at(b) && word_at(a + length - 8) == word_at(b + length - 8);
    if (length >= 4)
        return half_word_at(a) == half_word_at(b) && half_word_at(a + length - 4) == half_word_at(b + length - 4);
    for (int64_t i = 0; i < length; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

#if defined(__SSE2__)
static inline __m128i are(__m128i bytes, uint8_t letter) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)letter)); }
#endif

/* ---------------------------------------------------------------- memory */

static int grow(void **memory, int64_t *room, int64_t wanted, size_t size) {
    if (wanted <= *room) return 1;
    int64_t more = *room * 2 > wanted ? *room * 2 : wanted;
    void *larger = realloc(*memory, (size_t)more * size);
    if (larger == NULL) return 0;
    *memory = larger;
    *room = more;
    return 1;
}

void native_free(Context *context) {
    if (context == NULL) return;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        free(column->valid), free(column->numbers), free(column->codes), free(column->letters);
        free(column->slots), free(column->ends);
    }
    free(context->lines), free(context->odd_lines), free(context->odd_starts), free(context->odd_ends);
    free(context->unescaped), free(context->others), free(context->tail), free(context->places), free(context->batch);
    free(context);
}

/* Columns of some kinds; `seeds` are two numbers that nobody outside can know. */
Context *native_new(const int32_t *kinds, int32_t columns, const uint64_t *seeds) {
    if (columns < 0 || columns > MOST_COLUMNS) return NULL;
    Context *context = calloc(1, sizeof *context);
    if (context == NULL) return NULL;
    context->batch = malloc((MOST_COLUMNS + 1) * sizeof *context->batch);
    if (context->batch == NULL) {
        free(context);
        return NULL;
    }
    context->columns_used = columns;
    for (int32_t i = 0; i < columns; i++) {
        context->columns[i].kind = kinds[i];
        memcpy(context->columns[i].seeds, seeds, sizeof context->columns[i].seeds);
    }
    const uint8_t *minute = (const uint8_t *)"1970-01-01T00:00";
    context->minute_words[0] = word_at(minute), context->minute_words[1] = word_at(minute + 8);
    return context;
}

/* Makes room for rows behind those that are there. */
static int room_for_rows(Context *context, int64_t more) {
    int64_t wanted = context->rows + more, before = context->rows_room;
    if (wanted <= before) return 1;
    if (wanted < before + before / 2) wanted = before + before / 2;
    size_t count = (size_t)wanted;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        int coded = column->kind == TEXT || column->kind == CODED;
        size_t known = column->valid == NULL ? 0 : ((size_t)before / BATCH + 1) * 8, size = (count / BATCH + 1) * 8;
        uint8_t *valid = realloc(column->valid, size);
        if (valid == NULL) return 0;
        memset(valid + known, 0, size - known);
        column->valid = valid;
        void *cells = coded ? realloc(column->codes, (count + 1) * sizeof(int32_t))
                            : realloc(column->numbers, count * sizeof(int64_t));
        if (cells == NULL) return 0;
        if (coded) column->codes = cells;
        else column->numbers = cells;
    }
    context->rows_room = wanted;
    return 1;
}

/* Makes room for one more line of a block. */
static int room_for_line(Context *context, int64_t lines) {
    if (lines < context->lines_room) return 1;
    int64_t **arrays[] = {&context->lines, &context->odd_lines, &context->odd_starts, &context->odd_ends};
    int64_t wanted = lines < 1024 ? 1024 : lines * 2;
    for (int i = 0; i < 4; i++) {
        int64_t *larger = realloc(*arrays[i], (size_t)wanted * sizeof(int64_t));
        if (larger == NULL) return 0;
        *arrays[i] = larger;
    }
    context->lines_room = wanted;
    return 1;
}

/* Takes back all rows behind so many; what their values brought into a dictionary stays there. */
static void keep_rows(Context *context, int64_t rows) {
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        if (context->rows_room == 0) continue;
        uint8_t *valid = column->valid + rows / BATCH * 8;
        put_word(valid, word_at(valid) & ~(~0ull << rows % BATCH));
        memset(valid + 8, 0, (size_t)(context->rows / BATCH - rows / BATCH) * 8);
        if (column->kind == TEXT) column->letters_used = rows ? column->codes[rows] : 0;
    }
    context->rows = context->first = rows;
}

/* Forgets every row and value; their memory waits for the next ones. */
void native_forget(Context *context) {
    keep_rows(context, 0);
    context->rows_before = context->odd = 0;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        column->nulls = column->nulls_before = column->letters_used = column->values_used = 0;
        for (int64_t slot = 0; slot < column->slots_room; slot++) column->slots[slot].code = -1;
    }
}

/* Forgets the rows of the last block. */
void native_undo(Context *context) {
    keep_rows(context, context->rows_before);
    for (int32_t i = 0; i < context->columns_used; i++) {
        context->columns[i].nulls = context->columns[i].nulls_before;
    }
}

static int start_block(Context *context, int64_t length) {
    if (length > MOST_LETTERS) return 0;
    if (context->rows != context->first) keep_rows(context, context->first); /* memory ended in the block before */
    if (!room_for_rows(context, BATCH)) return 0;
    context->rows_before = context->rows;
    context->odd = context->unescaped_used = context->others_used = 0;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        if (column->letters_used > MOST_LETTERS) return 0;
        column->nulls_before = column->nulls;
    }
    return 1;
}

/* ---------------------------------------------------------------- columns */

/* The product of two words, its halves folded into one. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), left = (a >> 32) * (b & UINT32_MAX);
    uint64_t right = (a & UINT32_MAX) * (b >> 32), high = (a >> 32) * (b >> 32);
    uint64_t middle = (low >> 32) + (left & UINT32_MAX) + (right & UINT32_MAX);
    return (a * b) ^ (high + (left >> 32) + (right >> 32) + (middle >> 32));
#endif
}

/* Both factors hold a seed, so that no client can choose values which all meet in one slot. The last words may overlap
 * those before them; the length keeps "aa" and "aaa" apart. */
static inline uint32_t hash_of(const uint64_t *seeds, Span span) {
    uint64_t hash = seeds[1] ^ (uint64_t)span.length, word = 0;
    const uint8_t *at = span.at, *end = at + span.length;
    if (span.length >= 16) {
        for (; end - at > 16; at += 16) hash = fold(word_at(at) ^ seeds[0], word_at(at + 8) ^ hash);
        hash = fold(word_at(end - 16) ^ seeds[0], word_at(end - 8) ^ hash);
    } else if (span.length >= 8) {
        hash = fold(word_at(at) ^ seeds[0], word_at(end - 8) ^ hash);
    } else if (span.length >= 4) {
        hash = fold((half_word_at(at) << 32 | half_word_at(end - 4)) ^ seeds[0], hash);
    } else {
        for (; at < end; at++) word = word << 8 | *at;
        hash = fold(word ^ seeds[0], hash);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static int more_slots(Column *column) {
    int64_t room = column->slots_room ? column->slots_room * 2 : 256;
    Slot *slots = malloc((size_t)room * sizeof *slots);
    if (slots == NULL) return 0;
    for (int64_t i = 0; i < room; i++) slots[i].code = -1;
    for (int64_t i = 0; i < column->slots_room; i++) {
        Slot old = column->slots[i];
        if (old.code < 0) continue;
        int64_t place = (int64_t)old.hash & (room - 1);
        while (slots[place].code >= 0) place = (place + 1) & (room - 1);
        slots[place] = old;
    }
    free(column->slots);
    column->slots = slots;
    column->slots_room = room;
    return 1;
}

static inline int is_value(const Column *column, int32_t code, Span span) {
    int32_t start = column->ends[code];
    return column->ends[code + 1] - start == span.length && same(column->letters + start, span.at, span.length);
}

/* The code of a value that is new. -1 where memory ends. */
static int32_t add_code(Column *column, Span span, uint32_t hash, int64_t place) {
    int64_t used = column->letters_used, code = column->values_used;
    if (!grow((void **)&column->ends, &column->ends_room, code + 2, sizeof(int32_t)) ||
        !grow((void **)&column->letters, &column->letters_room, used + span.length + MARGIN, 1))
        return -1;
    if (span.length) memcpy(column->letters + used, span.at, (size_t)span.length);
    column->letters_used = used + span.length;
    column->ends[0] = 0;
    column->ends[code + 1] = (int32_t)column->letters_used;
    column->slots[place] = (Slot){hash, (int32_t)code};
    column->values_used++;
    return (int32_t)code;
}

/* The code of a value, or -1 where memory ends. There is a free slot. */
static inline int32_t code_of(Column *column, Span span) {
    uint32_t hash = hash_of(column->seeds, span);
    int64_t mask = column->slots_room - 1, place = (int64_t)hash & mask;
    for (; column->slots[place].code >= 0; place = (place + 1) & mask) {
        Slot slot = column->slots[place];
        if (slot.hash == hash && is_value(column, slot.code, span)) return slot.code;
    }
    return add_code(column, span, hash, place);
}

/* Takes out the first row of a set of rows. */
static inline int first_of(uint64_t *rows) {
    int row = __builtin_ctzll(*rows);
    *rows &= *rows - 1;
    return row;
}

static int add_codes(Column *column, const Span *spans, int64_t start, uint64_t rows) {
    while ((column->values_used + BATCH) * 2 >= column->slots_room)
        if (!more_slots(column)) return 0;
    while (rows) {
        int row = first_of(&rows);
        int32_t code = code_of(column, spans[row]);
        if (code < 0) return 0;
        column->codes[start + row] = code;
    }
    return 1;
}

/* Copies in steps of more than most values have bytes: a call, or a step for each word, costs more. */
static inline void copy(uint8_t *to, Span span) {
    for (int64_t i = 0; i < span.length; i += 32) memcpy(to + i, span.at + i, 32);
}

static int add_texts(Column *column, const Span *spans, int64_t first, int64_t end, uint64_t rows) {
    int64_t used = column->letters_used, wanted = used + MARGIN;
    for (uint64_t left = rows; left;) wanted += spans[first_of(&left)].length;
    if (!grow((void **)&column->letters, &column->letters_room, wanted, 1)) return 0;
    column->codes[0] = 0;
    for (int64_t row = first; row < end; row++) {
        if (rows >> row % BATCH & 1) {
            Span span = spans[row % BATCH];
            copy(column->letters + used, span);
            used += span.length;
        }
        column->codes[row + 1] = (int32_t)used;
    }
    column->letters_used = used;
    return 1;
}

/* Makes of the columns that each row fills the rows that fill each column: halves change places, then quarters. */
static void turn(uint64_t bits[BATCH]) {
    uint64_t low = ~0ull >> 32;
    for (int half = 32; half; half >>= 1, low ^= low << half) {
        for (int i = 0; i < BATCH; i = ((i | half) + 1) & ~half) {
            uint64_t change = (bits[i] >> half ^ bits[i | half]) & low;
            bits[i] ^= change << half;
            bits[i | half] ^= change;
        }
    }
}

/* Those rows of a batch. */
static uint64_t rows_between(int64_t first, int64_t end) {
    return ~0ull << first % BATCH & ~0ull >> (BATCH - 1 - (end - 1) % BATCH);
}

static int add_values(Column *column, const Span *spans, int64_t first, int64_t end, uint64_t rows) {
    int64_t start = first - first % BATCH;
    uint8_t *valid = column->valid + start / 8;
    uint64_t nulls = rows_between(first, end) & ~rows;
    put_word(valid, word_at(valid) | rows);
    column->nulls += __builtin_popcountll(nulls);
    if (column->kind == TEXT) return add_texts(column, spans, first, end, rows);
    if (column->kind == CODED) {
        while (nulls) column->codes[start + first_of(&nulls)] = 0;
        return add_codes(column, spans, start, rows);
    }
    while (nulls) column->numbers[start + first_of(&nulls)] = 0;
    return 1;
}

/* Takes the rows of the batch to their columns, one column after the other. 0 where memory ends, else 1. */
static int add_batch(Context *context) {
    int64_t first = context->first, end = context->rows;
    uint64_t filled[BATCH];
    if (first == end) return 1;
    memcpy(filled, context->filled, sizeof filled);
    turn(filled);
    for (int32_t i = 0; i < context->columns_used; i++) {
        uint64_t rows = filled[i] & rows_between(first, end);
        if (!add_values(&context->columns[i], context->batch[i], first, end, rows)) return 0;
    }
    context->first = end;
    context->others_used = 0;
    return 1;
}

static inline int end_row(Context *context, int64_t line) {
    int64_t row = context->rows - context->rows_before;
    if (!room_for_line(context, row)) return 0;
    context->lines[row] = line;
    return ++context->rows % BATCH || (add_batch(context) && room_for_rows(context, BATCH));
}

/* The place of a value of the row that is read, and which columns that row fills. */
static inline Span *cell_of(const Context *context, int32_t column) {
    return &context->batch[column][(uint64_t)context->rows % BATCH];
}

static inline uint64_t *filled_of(Context *context) { return &context->filled[(uint64_t)context->rows % BATCH]; }

static int set_aside(Context *context, int64_t line, int64_t start, int64_t end) {
    if (!room_for_line(context, context->odd)) return 0;
    context->odd_lines[context->odd] = line;
    context->odd_starts[context->odd] = start;
    context->odd_ends[context->odd] = end;
    context->odd++;
    return 1;
}

#endif
