/* The tokenising kernel: honest lines of a block to columns, every other line handed back untouched.
 *
 * It knows three shapes of line, a text layout (fields between literals), a flat JSON object, and `key=value` behind a
 * head, and only their plain forms. Whatever is unusual (another number of quotes, a value of another type, a nested object) makes the line odd
 * and leaves it to Python, so that this file decides nothing but speed. tests/parsing/test_native.py holds it to the
 * careful reader, line by line.
 *
 * Rows are gathered over as many blocks as the caller likes, until it has the context forget them. No byte outside
 * [data, data + length) is read: the last lines are read from a copy with a margin behind it, so that whole words may be
 * read where a value or a literal is shorter. Memory belongs to the context, grows only, and is freed with it. Nothing
 * here knows of Python, Arrow or threads.
 */
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

/* ---------------------------------------------------------------- values */

/* One to eight digits, which are added up in pairs, then fours, then all at once. */
static inline int read_few_digits(const uint8_t *at, int64_t length, int64_t *number) {
    const uint64_t zeros = 0x3030303030303030ull, tops = 0x8080808080808080ull, pair = 0x000000FF000000FFull;
    int64_t missing = 64 - 8 * length;
    uint64_t word = ((word_at(at) ^ zeros) << missing); /* as if zeros stood in front */
    if (((word + 0x7676767676767676ull) | word) & tops) return 0;
    word = word * 10 + (word >> 8);
    word = ((word & pair) * 0x000F424000000064ull + ((word >> 16) & pair) * 0x0000271000000001ull) >> 32;
    *number = (int64_t)word;
    return 1;
}

static inline int read_digits(const uint8_t *at, int64_t length, int64_t most, int64_t *number) {
    if (length < 1 || length > most) return 0;
    if (length <= 8) return read_few_digits(at, length, number);
    int64_t few = (length - 1) % 8 + 1, more;
    if (!read_few_digits(at, few, number)) return 0;
    for (; few < length; few += 8) {
        if (!read_few_digits(at + few, 8, &more)) return 0;
        *number = *number * 100000000 + more;
    }
    return 1;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, by counting from March of year 0. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* YYYY-MM-DDTHH:MM in microseconds since 1970 in UTC. */
static int read_minute(const uint8_t *at, int64_t *micros) {
    static const uint8_t days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day, hour, minute;
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':') return 0;
    if (!read_digits(at, 4, 4, &year) || !read_digits(at + 5, 2, 2, &month) || !read_digits(at + 8, 2, 2, &day) ||
        !read_digits(at + 11, 2, 2, &hour) || !read_digits(at + 14, 2, 2, &minute))
        return 0;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of[month - 1] + (month == 2 && leap) || hour > 23 ||
        minute > 59)
        return 0;
    *micros = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 * 1000000;
    return 1;
}

/* YYYY-MM-DDTHH:MM:SS, a fraction of 1 to 9 digits or none, Z; microseconds since 1970 in UTC, cut off. The minute is
 * nearly always that of the row before. */
static int read_time(Context *context, const uint8_t *at, int64_t length, int64_t *micros) {
    static const int64_t tens[] = {1000000, 100000, 10000, 1000, 100, 10, 1, 10, 100, 1000};
    int64_t second, fraction = 0, digits = length - 21;
    if (length < 20 || length > 30 || at[length - 1] != 'Z' || at[16] != ':') return 0;
    if (word_at(at) != context->minute_words[0] || word_at(at + 8) != context->minute_words[1]) {
        if (!read_minute(at, &context->minute)) return 0;
        context->minute_words[0] = word_at(at), context->minute_words[1] = word_at(at + 8);
    }
    if (!read_digits(at + 17, 2, 2, &second) || second > 59) return 0;
    if (length > 20) {
        if (at[19] != '.' || !read_digits(at + 20, digits, 9, &fraction)) return 0;
        fraction = digits <= 6 ? fraction * tens[digits] : fraction / tens[digits];
    }
    *micros = context->minute + second * 1000000 + fraction;
    return 1;
}

/* `-` and nothing are null: in one comparison, as a branch could not be foretold. A value of no bytes has one behind. */
static inline int is_nothing(Span span) { return span.length <= (span.at[0] == '-'); }

/* Gives the row that is being read its number in a column; whether it is one of the column's kind. */
static inline int set_number(Context *context, int32_t index, Span span) {
    Column *column = &context->columns[index];
    int64_t *number = &column->numbers[context->rows];
    if (column->kind == TIME) return read_time(context, span.at, span.length, number);
    return read_digits(span.at, span.length, column->kind == STATUS ? STATUS_DIGITS : MOST_DIGITS, number);
}

/* Gives the row that is being read its value in a column, if it is of the column's kind. */
static inline int set_value(Context *context, int32_t index, Span span) {
    *cell_of(context, index) = span;
    *filled_of(context) |= 1ull << index;
    return context->columns[index].kind <= CODED || set_number(context, index, span);
}

static inline int read_value(Context *context, int32_t index, Span span) {
    return is_nothing(span) || set_value(context, index, span);
}

static int has_value(Context *context, int32_t index) { return *filled_of(context) >> index & 1; }

/* ---------------------------------------------------------------- lines */

/* Some lines of a block, each with its line end, and a margin behind them all. */
typedef struct {
    const uint8_t *data;
    int64_t length;
    int64_t before; /* bytes of the block in front of them */
} Stretch;

/* Where the last lines of a block begin that have no margin behind them within it. */
static int64_t start_of_tail(const uint8_t *data, int64_t length) {
    int64_t start = length - MARGIN;
    while (start > 0 && data[start - 1] != '\n') start--;
    return start > 0 ? start : 0;
}

/* The lines of a block in two stretches: as they lie there, and the last ones from a copy. */
static int cut_stretches(Context *context, const uint8_t *data, int64_t length, Stretch stretches[2]) {
    int64_t start = start_of_tail(data, length), rest = length - start;
    if (!grow((void **)&context->tail, &context->tail_room, rest + 1 + MARGIN, 1)) return 0;
    if (rest) memcpy(context->tail, data + start, (size_t)rest);
    int64_t ended = rest + (rest && context->tail[rest - 1] != '\n');
    memset(context->tail + rest, '\n', 1 + MARGIN);
    stretches[0] = (Stretch){data, start, 0};
    stretches[1] = (Stretch){context->tail, ended, start};
    return 1;
}

/* The lines of a block that are not blank, one after the other. */
typedef struct {
    Stretch stretches[2];
    const Stretch *stretch;
    int64_t line; /* the number of the line, and where it lies in its stretch */
    int64_t start, end;
} Lines;

static int start_lines(Lines *lines, Context *context, const uint8_t *data, int64_t length) {
    lines->stretch = lines->stretches;
    lines->line = lines->end = -1;
    return cut_stretches(context, data, length, lines->stretches);
}

static int next_line(Lines *lines) {
    do {
        lines->start = lines->end + 1;
        if (lines->start == lines->stretch->length) {
            if (lines->stretch++ == &lines->stretches[1]) return 0;
            lines->start = 0;
            if (lines->stretch->length == 0) return 0;
        }
        const uint8_t *at = lines->stretch->data + lines->start;
        const uint8_t *newline = memchr(at, '\n', (size_t)(lines->stretch->length - lines->start));
        lines->end = newline - lines->stretch->data;
        lines->line++;
    } while (lines->start == lines->end);
    return 1;
}

static const uint8_t *line_at(const Lines *lines) { return lines->stretch->data + lines->start; }
static const uint8_t *line_end(const Lines *lines) { return lines->stretch->data + lines->end; }

static int end_line(Context *context, const Lines *lines, int sound) {
    if (sound) return end_row(context, lines->line);
    return set_aside(context, lines->line, lines->stretch->before + lines->start, lines->stretch->before + lines->end);
}

/* ---------------------------------------------------------------- text */

/* How many bars stand in the name of a cluster that begins here. */
static int32_t bars_of_cluster(const uint8_t *at, const uint8_t *end) {
    static const char *const directions[] = {"outbound|", "inbound|", "inbound-vip|"};
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        int64_t length = (int64_t)strlen(directions[i]);
        if (end - at <= length || !same(at, (const uint8_t *)directions[i], length)) continue;
        const uint8_t *port = at + length;
        for (at = port; at < end && *at >= '0' && *at <= '9'; at++) {}
        return at > port && at < end && *at == '|' ? 3 : 0;
    }
    return 0;
}

/* A step as lines are compared with it: the literal as words, and what may stand in the value. */
typedef struct {
    uint64_t word, mask; /* the first eight bytes of the literal, and which bits of them count */
    int64_t length;
    uint64_t filled;     /* the bit of the column */
    int32_t marks;       /* how many letters of the literal are marked */
    int32_t inside;
    int32_t column;      /* one behind all others where the value has none */
    int32_t cell;        /* how far from the first column's value that of this one stands */
    uint8_t letter;      /* what ends the value */
    uint8_t no_blank;
    const Step *step;
} Cut;

/* The cuts of a layout, and the letters that are marked beside line ends, quotes and blanks: what else ends a value.
 * What few cuts have is done for those alone, behind the way through a line, whose steps are the same for each cut. */
typedef struct {
    Cut cuts[MOST_COLUMNS + 1];
    int32_t count;
    int32_t letters_used, numbers_used, marked_used;
    uint8_t letters[MOST_COLUMNS + 1];
    uint64_t times;                    /* columns that a row must fill */
    int32_t numbers[MOST_COLUMNS + 1]; /* columns of numbers and times */
    int32_t marked[MOST_COLUMNS + 1];  /* cuts whose value holds none of some letters, and not only no blank */
} Plan;

static int is_marked(const Plan *plan, uint8_t letter) {
    if (letter == '\n' || letter == ' ' || letter == '"') return 1;
    return memchr(plan->letters, letter, (size_t)plan->letters_used) != NULL;
}

static Cut cut_of(const Plan *plan, const Step *step) {
    uint8_t bytes[8] = {0}, bits[8] = {0};
    Cut cut = {.length = step->literal_length, .column = step->column, .step = step, .letter = '\n'};
    if (cut.column < 0) cut.column = MOST_COLUMNS;
    else cut.filled = 1ull << cut.column;
    cut.cell = cut.column * BATCH;
    for (int32_t i = 0; i < step->literal_length; i++) cut.marks += is_marked(plan, step->literal[i]);
    if (cut.length) cut.letter = step->literal[0], cut.inside = step->inside;
    for (int32_t i = 0; i < step->literal_length && i < 8; i++) bytes[i] = step->literal[i], bits[i] = 0xFF;
    cut.word = word_at(bytes), cut.mask = word_at(bits);
    if (cut.length && memchr(step->literal, '\n', (size_t)cut.length)) cut.word = 1, cut.mask = 0; /* in no line */
    cut.no_blank = step->marks_length && memchr(step->marks, ' ', (size_t)step->marks_length);
    return cut;
}

static void make_plan(Plan *plan, const Context *context, const Step *steps, int32_t count) {
    plan->letters_used = plan->numbers_used = plan->marked_used = 0;
    plan->letters[0] = '\n';
    plan->count = count;
    plan->times = 0;
    for (int32_t i = 1; i < count; i++) /* the first is the literal before the first field */
        if (steps[i].literal_length && !is_marked(plan, steps[i].literal[0]))
            plan->letters[plan->letters_used++] = steps[i].literal[0];
    for (int32_t i = 0; i < count; i++) {
        Cut cut = plan->cuts[i] = cut_of(plan, &steps[i]);
        int32_t kind = cut.filled ? context->columns[cut.column].kind : IGNORED;
        if (steps[i].marks_length > cut.no_blank) plan->marked[plan->marked_used++] = i;
        if (kind > CODED) plan->numbers[plan->numbers_used++] = cut.column;
        if (kind == TIME) plan->times |= cut.filled;
    }
}

enum { CHUNK = 4096 }; /* bytes that are searched for marks at once */

/* Where the marked letters of a stretch stand, found ahead of the reader. */
typedef struct {
    const Plan *plan;
    const Stretch *stretch;
    uint32_t *places;
    int64_t used, whole; /* how many are known, and how many of them are of whole lines */
    int64_t searched;
} Marks;

#if defined(__SSE2__)
static inline uint64_t bits_of(__m128i a, __m128i b, __m128i c, __m128i d) {
    return (uint64_t)(uint32_t)_mm_movemask_epi8(a) | (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 | (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

static inline __m128i are(__m128i bytes, uint8_t letter) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)letter)); }

/* A blank and a quote differ in one bit. */
static inline __m128i are_usual(const uint8_t *at, uint8_t letter) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    __m128i usual = _mm_or_si128(are(_mm_or_si128(bytes, _mm_set1_epi8(' ' ^ '"')), '"'), are(bytes, '\n'));
    return _mm_or_si128(usual, are(bytes, letter));
}

static inline uint64_t usual_marks(const uint8_t *at, uint8_t letter) {
    return bits_of(are_usual(at, letter), are_usual(at + 16, letter), are_usual(at + 32, letter),
                   are_usual(at + 48, letter));
}

static inline __m128i are_at(const uint8_t *at, uint8_t letter) {
    return are(_mm_loadu_si128((const __m128i *)at), letter);
}

static inline uint64_t marks_of(const uint8_t *at, uint8_t letter) {
    return bits_of(are_at(at, letter), are_at(at + 16, letter), are_at(at + 32, letter), are_at(at + 48, letter));
}
#else
/* The top bit of each byte that is the letter, and no other. */
static inline uint64_t tops_of(uint64_t word, uint8_t letter) {
    const uint64_t ones = 0x0101010101010101ull, low = ones * 0x7F;
    word ^= ones * letter;
    return ~(((word & low) + low) | word | low);
}

/* Top bits side by side: a multiplication moves each to its place in the highest byte. */
static inline uint64_t gathered(uint64_t tops) { return ((tops >> 7) * 0x0102040810204080ull) >> 56; }

static inline uint64_t marks_of(const uint8_t *at, uint8_t letter) {
    uint64_t marks = 0;
    for (int i = 0; i < 8; i++) marks |= gathered(tops_of(word_at(at + 8 * i), letter)) << 8 * i;
    return marks;
}

static inline uint64_t usual_marks(const uint8_t *at, uint8_t letter) {
    uint64_t marks = marks_of(at, letter);
    for (int i = 0; i < 8; i++) {
        uint64_t word = word_at(at + 8 * i);
        marks |= gathered(tops_of(word | 0x0202020202020202ull, '"') | tops_of(word, '\n')) << 8 * i;
    }
    return marks;
}
#endif

static void search_chunk(Marks *marks) {
    const uint8_t *data = marks->stretch->data;
    const Plan *plan = marks->plan;
    int64_t at = marks->searched, end = at + CHUNK < marks->stretch->length ? at + CHUNK : marks->stretch->length;
    uint32_t *place = marks->places + marks->used;
    for (; at < end; at += 64) {
        uint64_t word = usual_marks(data + at, plan->letters[0]);
        for (int32_t n = 1; n < plan->letters_used; n++) word |= marks_of(data + at, plan->letters[n]);
        for (; word; word &= word - 1) *place++ = (uint32_t)(at + __builtin_ctzll(word));
    }
    marks->searched = at;
    marks->used = place - marks->places;
}

/* Finds the marks of at least one more line, for a reader who is through with all but the last ones. */
static int find_marks(Context *context, Marks *marks) {
    int64_t left = marks->used - marks->whole;
    if (left) memmove(marks->places, marks->places + marks->whole, (size_t)left * sizeof *marks->places);
    marks->used = left;
    for (marks->whole = 0; marks->whole == 0;) {
        int64_t wanted = marks->used + CHUNK;
        if (!grow((void **)&context->places, &context->places_room, wanted, sizeof *marks->places)) return 0;
        marks->places = context->places;
        int64_t known = marks->used;
        search_chunk(marks);
        int64_t last = marks->used;
        while (last > known && marks->stretch->data[marks->places[last - 1]] != '\n') last--;
        if (last > known) marks->whole = last;
    }
    return 1;
}

/* Goes from the first mark of a value to the one that ends it, or to one that it cannot hold. The quotes of a line are
 * those of the literals, so that no value holds one. */
static inline int pass_value(const Stretch *stretch, const Cut *cut, int64_t at, const uint32_t **mark) {
    const uint8_t *data = stretch->data;
    if (cut->inside == 0 && data[**mark] == cut->letter) return 1; /* nearly always */
    int32_t inside = cut->inside == OF_CLUSTER ? bars_of_cluster(data + at, data + stretch->length) : cut->inside;
    for (;; ++*mark) {
        uint8_t letter = data[**mark];
        if (letter == cut->letter && inside-- == 0) return 1;
        if (letter == '\n' || letter == '"' || (letter == ' ' && cut->no_blank)) return 0;
    }
}

static inline int is_literal(const Stretch *stretch, const Cut *cut, int64_t at) {
    const uint8_t *literal = stretch->data + at;
    if ((word_at(literal) & cut->mask) != cut->word) return 0;
    return cut->length <= 8 || (stretch->length - at >= cut->length &&
                                same(literal + 8, cut->step->literal + 8, cut->length - 8));
}

static int holds_mark(const Step *step, Span span) {
    for (int32_t n = 0; n < step->marks_length; n++)
        if (step->marks[n] != ' ' && memchr(span.at, step->marks[n], (size_t)span.length) != NULL) return 1;
    return 0;
}

/* Reads the line that begins at `at`, and goes on in its marks, no further than to its end. */
static inline int read_text_line(Context *context, const Plan *plan, const Stretch *stretch, int64_t at,
                                 const uint32_t **marks) {
    const uint8_t *data = stretch->data;
    const uint32_t *mark = *marks;
    Span *cells = cell_of(context, 0);
    uint64_t filled = 0;
    if (!is_literal(stretch, &plan->cuts[0], at)) return 0; /* the one before the first field */
    at += plan->cuts[0].length, mark += plan->cuts[0].marks;
    for (const Cut *cut = &plan->cuts[1]; cut < plan->cuts + plan->count; cut++) {
        int sound = pass_value(stretch, cut, at, &mark);
        *marks = mark;
        if (!sound || !is_literal(stretch, cut, *mark)) return 0;
        Span span = {data + at, *mark - at};
        cells[cut->cell] = span;
        filled |= cut->filled & (0 - (uint64_t)!is_nothing(span));
        at = *mark + cut->length;
        mark += cut->marks;
    }
    *marks = mark;
    if (data[at] != '\n' || (filled & plan->times) != plan->times) return 0;
    *filled_of(context) = filled;
    for (int32_t i = 0; i < plan->marked_used; i++) {
        const Cut *cut = &plan->cuts[plan->marked[i]];
        if (holds_mark(cut->step, cells[cut->cell])) return 0;
    }
    for (int32_t i = 0; i < plan->numbers_used; i++) {
        int32_t column = plan->numbers[i];
        if (filled >> column & 1 && !set_number(context, column, cells[column * BATCH])) return 0;
    }
    return 1;
}

static int read_text_stretch(Context *context, const Plan *plan, const Stretch *stretch, int64_t *line) {
    const uint8_t *data = stretch->data;
    Marks marks = {.plan = plan, .stretch = stretch};
    const uint32_t *mark = NULL;
    for (int64_t start = 0, end; start < stretch->length; start = end + 1, mark++, ++*line) {
        if (mark == marks.places + marks.whole) {
            if (!find_marks(context, &marks)) return 0;
            mark = marks.places;
        }
        int sound = data[start] != '\n' && read_text_line(context, plan, stretch, start, &mark);
        while (data[end = *mark] != '\n') mark++;
        if (end == start) continue; /* a blank line is neither */
        int64_t before = stretch->before;
        if (!(sound ? end_row(context, *line) : set_aside(context, *line, before + start, before + end))) return 0;
    }
    return 1;
}

/* Reads a block of lines of one text layout. 0 where memory ends, else 1. */
int32_t native_read_text(Context *context, const uint8_t *data, int64_t length, const Step *steps, int32_t count) {
    Plan plan;
    Stretch stretches[2];
    int64_t line = 0;
    if (count > MOST_COLUMNS + 1 || !start_block(context, length)) return 0;
    make_plan(&plan, context, steps, count);
    if (!cut_stretches(context, data, length, stretches)) return 0;
    for (int i = 0; i < 2; i++)
        if (!read_text_stretch(context, &plan, &stretches[i], &line)) return 0;
    return add_batch(context);
}

/* ---------------------------------------------------------------- JSON */

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

/* ---------------------------------------------------------------- pairs */

/* Where a head ends that begins at `at`, each tab of it standing for any blanks; null where none begins there. */
static const uint8_t *skip_head(const Key *head, const uint8_t *at, const uint8_t *end) {
    for (int32_t i = 0; i < head->length; i++) {
        const uint8_t *before = at;
        if (head->name[i] != '\t') {
            if (at >= end || *at++ != head->name[i]) return NULL;
        } else if ((at = skip_blanks(at)) == before) {
            return NULL;
        }
    }
    return at;
}

/* A key of small letters and `_`, with one dot or none between them, and what ends it; null where it is none. */
static const uint8_t *read_name(const uint8_t *at, const uint8_t *end, Span *name) {
    int dots = 0;
    name->at = at;
    for (; at < end && *at != '='; at++) {
        if (*at == '.' ? dots++ || at == name->at : *at != '_' && (*at < 'a' || *at > 'z')) return NULL;
    }
    name->length = at - name->at;
    return at < end && name->length && at[-1] != '.' ? at + 1 : NULL;
}

/* A value in quotes or a word of plain ASCII, and what is behind it; null where an escape or anything odd is in it. */
static const uint8_t *read_quoted_or_word(const uint8_t *at, const uint8_t *end, Span *value) {
    int escaped = 0;
    if (at < end && *at == '"') {
        at = read_string(at, end, value, &escaped);
        if (at == NULL || escaped) return NULL;
    } else {
        value->at = at;
        while (at < end && *at > ' ' && *at < 0x7F && *at != '"' && *at != '\\') at++;
        value->length = at - value->at;
    }
    return at == end || *at == ' ' || *at == '\t' ? at : NULL;
}

static int64_t add_bytes(Context *context, int64_t used, const char *literal, Span span) {
    int64_t length = (int64_t)strlen(literal);
    uint8_t *to = context->others + context->others_used + used;
    memcpy(to, literal, (size_t)length);
    memcpy(to + length, span.at, (size_t)span.length);
    return used + length + span.length;
}

/* `order` is what it is to read_json_line. */
static int read_pairs(Context *context, const uint8_t *at, const uint8_t *end, const Key *keys, int32_t count,
                      int32_t *order) {
    Span names[MOST_OTHERS], name, text;
    uint64_t seen = 0;
    int64_t others = 0;
    int32_t unknown = 0, previous = count;
    while (at < end) {
        int32_t key = order[previous];
        if (end - at > keys[key].length && same(at, keys[key].name, keys[key].length)) {
            at += keys[key].length;
        } else {
            at = read_name(at, end, &name);
            if (at == NULL) return 0;
            for (key = count - 1; key >= 0; key--)
                if (keys[key].length == name.length + 1 && same(keys[key].name, name.at, name.length)) break;
        }
        at = read_quoted_or_word(at, end, &text);
        if (at == NULL) return 0;
        at = skip_blanks(at);
        if (key >= 0) {
            if (seen >> key & 1) return 0;
            seen |= 1ull << key;
            order[previous] = key;
            previous = key;
            if (is_nothing(text) || !read_value(context, keys[key].column, text)) return 0;
            continue;
        }
        for (int32_t i = 0; i < unknown; i++)
            if (names[i].length == name.length && same(names[i].at, name.at, name.length)) return 0;
        if (unknown == MOST_OTHERS || text.length == 0) return 0;
        names[unknown++] = name;
        others = add_bytes(context, others, others ? "\",\"" : "{\"", name);
        others = add_bytes(context, others, "\":\"", text);
    }
    if (others) {
        others = add_bytes(context, others, "\"}", (Span){at, 0});
        set_others(context, others);
    }
    return 1;
}

typedef struct {
    const Key *heads, *keys;
    int32_t heads_count, count, time, head;
} Shape;

/* `order` is what it is to read_json_line. */
static int read_pairs_line(Context *context, const uint8_t *start, const uint8_t *end, const Shape *shape,
                           int32_t *order) {
    const uint8_t *at = start, *behind = NULL;
    *filled_of(context) = 0;
    while (at < end && *at != ' ' && *at != '\t') at++;
    if (!set_value(context, shape->time, (Span){start, at - start})) return 0;
    int32_t head = 0;
    for (; head < shape->heads_count; head++)
        if ((behind = skip_head(&shape->heads[head], at, end)) != NULL) break;
    if (behind == NULL) return 0;
    context->columns[shape->head].numbers[context->rows] = head;
    *filled_of(context) |= 1ull << shape->head;
    return read_pairs(context, behind, end, shape->keys, shape->count, order);
}

/* Reads a block of lines that are a time, one of some heads, and pairs of known keys with their values. What has another
 * key goes as one JSON object of strings into the column `others`, the number of the head into the column `head`. 0
 * where memory ends, else 1. */
int32_t native_read_pairs(Context *context, const uint8_t *data, int64_t length, const Key *heads, int32_t heads_count,
                          const Key *keys, int32_t count, int32_t time, int32_t head, int32_t others) {
    int32_t order[MOST_COLUMNS + 1];
    Shape shape = {heads, keys, heads_count, count, time, head};
    Lines lines;
    if (count > MOST_COLUMNS || !start_block(context, length)) return 0;
    if (!grow((void **)&context->others, &context->others_room, 2 * length + MARGIN, 1)) return 0;
    context->others_column = others;
    guess_order(order, count);
    if (!start_lines(&lines, context, data, length)) return 0;
    while (next_line(&lines)) {
        int sound = read_pairs_line(context, line_at(&lines), line_end(&lines), &shape, order);
        if (!end_line(context, &lines, sound)) return 0;
    }
    return add_batch(context);
}

/* ---------------------------------------------------------------- rows from elsewhere */

/* Adds one row whose values another reader found: their letters one behind the other, and the length of each, negative
 * where it is missing. 0, and no row, where one is not of its column's kind or memory ends. */
int32_t native_add(Context *context, const uint8_t *letters, const int32_t *lengths) {
    int64_t length = 0;
    for (int32_t i = 0; i < context->columns_used; i++) {
        if (lengths[i] > MOST_LETTERS || context->columns[i].letters_used > MOST_LETTERS) return 0;
        if (lengths[i] > 0) length += lengths[i];
    }
    if (!room_for_rows(context, 1) || !grow((void **)&context->tail, &context->tail_room, length + MARGIN, 1)) return 0;
    if (length) memcpy(context->tail, letters, (size_t)length);
    letters = context->tail;
    *filled_of(context) = 0;
    for (int32_t i = 0; i < context->columns_used; i++) {
        if (lengths[i] < 0) continue;
        if (!set_value(context, i, (Span){letters, lengths[i]})) return 0;
        letters += lengths[i];
    }
    context->rows++;
    return add_batch(context);
}

/* ---------------------------------------------------------------- what was read */

#ifndef NATIVE_SOURCE
#define NATIVE_SOURCE 0
#endif
uint32_t native_source(void) { return NATIVE_SOURCE; } /* the CRC-32 of this file */

int64_t native_rows(const Context *context) { return context->rows; }
int64_t native_block_rows(const Context *context) { return context->rows - context->rows_before; }
const int64_t *native_lines(const Context *context) { return context->lines; }
int64_t native_odd(const Context *context) { return context->odd; }
const int64_t *native_odd_lines(const Context *context) { return context->odd_lines; }
const int64_t *native_odd_starts(const Context *context) { return context->odd_starts; }
const int64_t *native_odd_ends(const Context *context) { return context->odd_ends; }
int64_t native_nulls(const Context *context, int32_t column) { return context->columns[column].nulls; }
const uint8_t *native_valid(const Context *context, int32_t column) { return context->columns[column].valid; }
const int64_t *native_numbers(const Context *context, int32_t column) { return context->columns[column].numbers; }
const int32_t *native_codes(const Context *context, int32_t column) { return context->columns[column].codes; }
const uint8_t *native_letters(const Context *context, int32_t column) { return context->columns[column].letters; }
int64_t native_letters_used(const Context *context, int32_t column) { return context->columns[column].letters_used; }
int64_t native_values(const Context *context, int32_t column) { return context->columns[column].values_used; }
const int32_t *native_ends(const Context *context, int32_t column) { return context->columns[column].ends; }
