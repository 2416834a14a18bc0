/* The tokenising kernel: honest lines of a block to columns, every other line handed back untouched.
 *
 * It knows three shapes of line, a text layout (fields between literals), a flat JSON object, and `key=value` behind a
 * head, and only their plain forms. Whatever is unusual (another number of quotes, a value of another type, a nested object) makes the line odd
 * and leaves it to Python, so that this file decides nothing but speed. tests/parsing/test_native.py holds it to the
 * careful reader, line by line.
 *
 * Rows are gathered over as many blocks as the caller likes, until it has the context forget them. No byte outside
 * [data, data + length) is read: each step checks the end of its line first. Memory belongs to the context, grows only,
 * and is freed with it. Nothing here knows of Python, Arrow or threads.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum kind { IGNORED, TEXT, CODED, NUMBER, STATUS, TIME };

enum { OF_CLUSTER = -1 }; /* three times in `outbound|80|subset|host` and the like, else not at all */

enum { MOST_COLUMNS = 64, MOST_DIGITS = 18, STATUS_DIGITS = 3, MOST_OTHERS = 16 };

enum { MOST_LETTERS = INT32_MAX / 4 }; /* of a block; offsets are 32 bits wide, and others may take twice their length */

typedef struct {
    const uint8_t *at;
    int64_t length;
} Span;

/* A dictionary: open addressing over the values met so far, grown at half load. The rows that are gathered bound what
 * forged collisions can cost. */
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
    int32_t last;     /* CODED: the code of the row before, -1 where there is none */
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
} Context;

typedef struct {
    int64_t number;
    Span span;
    uint8_t there;
} Value;

/* Whether two stretches hold the same bytes; most values are short, and a call costs more than the bytes do. */
static inline int same(const uint8_t *a, const uint8_t *b, int64_t length) {
    uint64_t x, y;
    if (length > 64) return memcmp(a, b, (size_t)length) == 0;
    for (; length >= 8; a += 8, b += 8, length -= 8) {
        memcpy(&x, a, 8), memcpy(&y, b, 8);
        if (x != y) return 0;
    }
    for (; length > 0; a++, b++, length--)
        if (*a != *b) return 0;
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
    free(context->unescaped), free(context->others), free(context);
}

Context *native_new(const int32_t *kinds, int32_t columns) {
    if (columns < 0 || columns > MOST_COLUMNS) return NULL;
    Context *context = calloc(1, sizeof *context);
    if (context == NULL) return NULL;
    context->columns_used = columns;
    for (int32_t i = 0; i < columns; i++) {
        context->columns[i].kind = kinds[i];
        context->columns[i].last = -1;
    }
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
        uint8_t *valid = realloc(column->valid, count / 8 + 1);
        if (valid == NULL) return 0;
        size_t known = column->valid == NULL ? 0 : (size_t)before / 8 + 1;
        memset(valid + known, 0, count / 8 + 1 - known);
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

/* Makes room for the lines of a block; those of the block before are gone. */
static int room_for_lines(Context *context, int64_t lines) {
    if (lines <= context->lines_room) return 1;
    int64_t **arrays[] = {&context->lines, &context->odd_lines, &context->odd_starts, &context->odd_ends};
    context->lines_room = 0;
    for (int i = 0; i < 4; i++) {
        free(*arrays[i]);
        *arrays[i] = malloc((size_t)lines * sizeof(int64_t));
        if (*arrays[i] == NULL) return 0;
    }
    context->lines_room = lines;
    return 1;
}

/* Takes back all rows behind so many; what their values brought into a dictionary stays there. */
static void keep_rows(Context *context, int64_t rows) {
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        if (context->rows_room == 0) continue;
        column->valid[rows >> 3] &= (uint8_t)((1u << (rows & 7)) - 1);
        memset(column->valid + (rows >> 3) + 1, 0, (size_t)((context->rows >> 3) - (rows >> 3)));
        if (column->kind == TEXT) column->letters_used = rows ? column->codes[rows] : 0;
    }
    context->rows = rows;
}

/* Forgets every row and value; their memory waits for the next ones. */
void native_forget(Context *context) {
    keep_rows(context, 0);
    context->rows_before = context->odd = 0;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        column->nulls = column->nulls_before = column->letters_used = column->values_used = 0;
        column->last = -1;
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

/* How often a byte stands in a stretch; sums of 255 bytes fit a byte, which compilers turn into vectors. */
static int64_t count_of(uint8_t byte, const uint8_t *at, const uint8_t *end) {
    int64_t count = 0;
    while (at < end) {
        const uint8_t *stop = end - at > 240 ? at + 240 : end;
        uint8_t sum = 0;
        for (; at < stop; at++) sum = (uint8_t)(sum + (*at == byte));
        count += sum;
    }
    return count;
}

static int start_block(Context *context, const uint8_t *data, int64_t length) {
    if (length > MOST_LETTERS) return 0;
    int64_t lines = 1 + count_of('\n', data, data + length);
    if (!room_for_lines(context, lines) || !room_for_rows(context, lines)) return 0;
    context->rows_before = context->rows;
    context->odd = context->unescaped_used = 0;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        if (column->letters_used > MOST_LETTERS) return 0;
        column->nulls_before = column->nulls;
    }
    return 1;
}

/* ---------------------------------------------------------------- columns */

static uint64_t mix(uint64_t a, uint64_t b) {
    a = (a ^ b) * 0x9E3779B97F4A7C15ull;
    return a ^ (a >> 29);
}

static uint64_t word_at(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static uint64_t half_word_at(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

/* The last word may overlap the one before it; the length keeps "aa" and "aaa" apart. */
static uint32_t hash_of(Span span) {
    uint64_t hash = (uint64_t)span.length * 0xD6E8FEB86659FD93ull;
    const uint8_t *at = span.at, *end = at + span.length;
    if (span.length >= 8) {
        for (; end - at > 8; at += 8) hash = mix(hash, word_at(at));
        hash = mix(hash, word_at(end - 8));
    } else if (span.length >= 4) {
        hash = mix(hash, half_word_at(at) << 32 | half_word_at(end - 4));
    } else {
        uint64_t word = 0;
        for (; at < end; at++) word = word << 8 | *at;
        hash = mix(hash, word);
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

static int is_value(const Column *column, int32_t code, Span span) {
    int32_t start = column->ends[code];
    return column->ends[code + 1] - start == span.length && same(column->letters + start, span.at, span.length);
}

/* The code of a value, or -1 where memory ends. Many columns say the same as in the row before. */
static int32_t code_of(Column *column, Span span) {
    if (column->last >= 0 && is_value(column, column->last, span)) return column->last;
    if (column->values_used * 2 >= column->slots_room && !more_slots(column)) return -1;
    uint32_t hash = hash_of(span);
    int64_t mask = column->slots_room - 1, place = (int64_t)hash & mask;
    for (; column->slots[place].code >= 0; place = (place + 1) & mask) {
        Slot slot = column->slots[place];
        if (slot.hash == hash && is_value(column, slot.code, span)) return column->last = slot.code;
    }
    int64_t used = column->letters_used, code = column->values_used;
    if (!grow((void **)&column->ends, &column->ends_room, code + 2, sizeof(int32_t)) ||
        !grow((void **)&column->letters, &column->letters_room, used + span.length, 1))
        return -1;
    if (span.length) memcpy(column->letters + used, span.at, (size_t)span.length);
    column->letters_used = used + span.length;
    column->ends[0] = 0;
    column->ends[code + 1] = (int32_t)column->letters_used;
    column->slots[place] = (Slot){hash, (int32_t)code};
    column->values_used++;
    return column->last = (int32_t)code;
}

static int append(Context *context, const Value *values) {
    int64_t row = context->rows;
    for (int32_t i = 0; i < context->columns_used; i++) {
        Column *column = &context->columns[i];
        Value value = values[i];
        if (value.there) column->valid[row >> 3] |= (uint8_t)(1u << (row & 7));
        else column->nulls++;
        if (column->kind == CODED) {
            int32_t code = value.there ? code_of(column, value.span) : 0;
            if (code < 0) return 0;
            column->codes[row] = code;
        } else if (column->kind == TEXT) {
            int64_t length = value.there ? value.span.length : 0, used = column->letters_used;
            if (!grow((void **)&column->letters, &column->letters_room, used + length, 1)) return 0;
            if (length) memcpy(column->letters + used, value.span.at, (size_t)length);
            column->letters_used = used + length;
            column->codes[0] = 0;
            column->codes[row + 1] = (int32_t)column->letters_used;
        } else {
            column->numbers[row] = value.there ? value.number : 0;
        }
    }
    context->rows++;
    return 1;
}

static int append_line(Context *context, const Value *values, int64_t line) {
    context->lines[context->rows - context->rows_before] = line;
    return append(context, values);
}

static void set_aside(Context *context, int64_t line, int64_t start, int64_t end) {
    context->odd_lines[context->odd] = line;
    context->odd_starts[context->odd] = start;
    context->odd_ends[context->odd] = end;
    context->odd++;
}

/* ---------------------------------------------------------------- values */

static int read_digits(const uint8_t *at, int64_t length, int64_t most, int64_t *number) {
    if (length < 1 || length > most) return 0;
    int64_t sum = 0;
    for (int64_t i = 0; i < length; i++) {
        uint8_t digit = (uint8_t)(at[i] - '0');
        if (digit > 9) return 0;
        sum = sum * 10 + digit;
    }
    *number = sum;
    return 1;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, by counting from March of year 0. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* YYYY-MM-DDTHH:MM:SS, a fraction of 1 to 9 digits or none, Z; microseconds since 1970 in UTC, cut off. */
static int read_time(const uint8_t *at, int64_t length, int64_t *micros) {
    static const uint8_t days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day, hour, minute, second, fraction = 0;
    if (length < 20 || length > 30 || at[length - 1] != 'Z' || at[4] != '-' || at[7] != '-' || at[10] != 'T' ||
        at[13] != ':' || at[16] != ':')
        return 0;
    if (!read_digits(at, 4, 4, &year) || !read_digits(at + 5, 2, 2, &month) || !read_digits(at + 8, 2, 2, &day) ||
        !read_digits(at + 11, 2, 2, &hour) || !read_digits(at + 14, 2, 2, &minute) ||
        !read_digits(at + 17, 2, 2, &second))
        return 0;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of[month - 1] + (month == 2 && leap) || hour > 23 ||
        minute > 59 || second > 59)
        return 0;
    if (length > 20) {
        int64_t digits = length - 21;
        if (at[19] != '.' || !read_digits(at + 20, digits, 9, &fraction)) return 0;
        for (; digits < 6; digits++) fraction *= 10;
        for (; digits > 6; digits--) fraction /= 10;
    }
    *micros = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 * 1000000 + second * 1000000 + fraction;
    return 1;
}

static int read_kind(int32_t kind, Span span, Value *value) {
    switch (kind) {
    case NUMBER: return read_digits(span.at, span.length, MOST_DIGITS, &value->number);
    case STATUS: return read_digits(span.at, span.length, STATUS_DIGITS, &value->number);
    case TIME: return read_time(span.at, span.length, &value->number);
    default: return 1;
    }
}

/* Whether a value is of its column's kind; `-` and nothing are null in every kind but a text line's time. */
static int read_value(int32_t kind, Span span, Value *value, int time_wanted) {
    value->span = span;
    value->there = !(span.length == 0 || (span.length == 1 && span.at[0] == '-'));
    if (kind == TIME && time_wanted) value->there = 1;
    return !value->there || read_kind(kind, span, value);
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

static int read_text_line(Context *context, const uint8_t *at, const uint8_t *end, const Step *steps, int32_t count,
                          int32_t quotes, Value *values) {
    if (count_of('"', at, end) != quotes) return 0;
    for (int32_t i = 0; i < count; i++) {
        const Step *step = &steps[i];
        const uint8_t *stop = at;
        if (i > 0) { /* the first step is the literal before the first field */
            stop = step->literal_length ? memchr(at, step->literal[0], (size_t)(end - at)) : end;
            int32_t inside = step->inside == OF_CLUSTER ? bars_of_cluster(at, end) : step->inside;
            for (int32_t n = 0; n < inside && stop != NULL && stop < end; n++)
                stop = memchr(stop + 1, step->literal[0], (size_t)(end - stop - 1));
            if (stop == NULL) return 0;
            Span span = {at, stop - at};
            for (int32_t n = 0; n < step->marks_length; n++)
                if (memchr(at, step->marks[n], (size_t)span.length) != NULL) return 0;
            if (step->column >= 0 &&
                !read_value(context->columns[step->column].kind, span, &values[step->column], 1))
                return 0;
        }
        if (end - stop < step->literal_length || !same(stop, step->literal, step->literal_length)) return 0;
        at = stop + step->literal_length;
    }
    return at == end;
}

/* Reads a block of lines of one text layout. 0 where memory ends, else 1. */
int32_t native_read_text(Context *context, const uint8_t *data, int64_t length, const Step *steps, int32_t count,
                         int32_t quotes) {
    Value values[MOST_COLUMNS];
    if (!start_block(context, data, length)) return 0;
    int64_t line = 0;
    for (int64_t start = 0; start < length; line++) {
        const uint8_t *newline = memchr(data + start, '\n', (size_t)(length - start));
        int64_t end = newline == NULL ? length : newline - data;
        memset(values, 0, sizeof(Value) * (size_t)context->columns_used);
        if (end == start) {
            /* a blank line is neither */
        } else if (read_text_line(context, data + start, data + end, steps, count, quotes, values)) {
            if (!append_line(context, values, line)) return 0;
        } else {
            set_aside(context, line, start, end);
        }
        start = end + 1;
    }
    return 1;
}

/* ---------------------------------------------------------------- JSON */

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t')) at++;
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

/* The first quote, backslash or control byte from `at` on, or `end`: eight bytes at a time where the machine is
 * little-endian. Subtracting marks the top bit of a byte that was below; marks above the first one may be wrong. */
static const uint8_t *special(const uint8_t *at, const uint8_t *end) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = 0x0101010101010101ull, tops = ones << 7;
    for (; end - at >= 8; at += 8) {
        uint64_t word = word_at(at), quote = word ^ ones * '"', slash = word ^ ones * '\\';
        uint64_t marks = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word);
        if (marks & tops) return at + (__builtin_ctzll(marks & tops) >> 3);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && *at >= 0x20) at++;
    return at;
}

/* A string from its opening quote on: what is between the quotes; null where it has no end or a raw control byte. */
static const uint8_t *read_string(const uint8_t *at, const uint8_t *end, Span *span, int *escaped) {
    if (at >= end || *at != '"') return NULL;
    span->at = ++at;
    *escaped = 0;
    for (;;) {
        at = special(at, end);
        if (at >= end || *at < 0x20) return NULL;
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
    context->others[used] = used ? ',' : '{';
    used++;
    memcpy(context->others + used, at, (size_t)(end - at));
    return used + (end - at);
}

/* `order` holds, for each key, the key that stood behind it last time: a guess that is nearly always right. */
static int read_json_line(Context *context, const uint8_t *at, const uint8_t *end, const Key *keys, int32_t count,
                          int32_t *order, Value *values) {
    uint64_t seen = 0;
    int64_t others = 0;
    int32_t known = 0, previous = count;
    if (at >= end || *at++ != '{') return 0;
    for (;;) {
        Span name, text;
        int escaped, nothing = 0;
        int32_t key = order[previous];
        at = skip_blanks(at, end);
        const uint8_t *pair = at;
        if (end - at > keys[key].length && same(at, keys[key].name, keys[key].length)) {
            at += keys[key].length;
        } else {
            at = read_string(at, end, &name, &escaped);
            if (at == NULL || escaped) return 0;
            at = skip_blanks(at, end);
            if (at >= end || *at++ != ':') return 0;
            key = find_key(keys, count, name);
        }
        at = skip_blanks(at, end);
        if (at >= end) return 0;
        Column *column = NULL;
        Value *value = NULL;
        if (key >= 0) {
            if (seen >> key & 1) return 0; /* which of two equal keys counts is for Python to say */
            seen |= 1ull << key;
            order[previous] = key;
            previous = key;
            known++;
            column = &context->columns[keys[key].column];
            value = &values[keys[key].column];
        } else if (context->others_column < 0) {
            return 0;
        }
        if (*at == '"') {
            at = read_string(at, end, &text, &escaped);
            if (at == NULL) return 0;
            if (escaped && !unescape(context, text, &text)) return 0;
            if (value != NULL && !read_value(column->kind, text, value, 0)) return 0;
            if (value != NULL && !value->there && !context->gaps) return 0;
        } else if (*at >= '0' && *at <= '9') {
            const uint8_t *first = at;
            while (at < end && *at >= '0' && *at <= '9') at++;
            if (*first == '0' && at - first > 1) return 0;
            if (value != NULL) {
                if (column->kind == TIME) return 0;
                if (!read_value(column->kind, (Span){first, at - first}, value, 0)) return 0;
            } else if (at - first > MOST_DIGITS) {
                return 0;
            }
        } else if (is_word(at, end, "null", 4)) {
            at += 4;
            nothing = 1;
        } else if (value == NULL && is_word(at, end, "true", 4)) {
            at += 4;
        } else if (value == NULL && is_word(at, end, "false", 5)) {
            at += 5;
        } else {
            return 0;
        }
        if (key < 0 && !nothing) others = add_pair(context, others, pair, at);
        at = skip_blanks(at, end);
        if (at >= end) return 0;
        if (*at == '}') break;
        if (*at++ != ',') return 0;
    }
    if (others) {
        context->others[others++] = '}';
        values[context->others_column] = (Value){0, {context->others, others}, 1};
    }
    return at + 1 == end && known >= context->fewest_keys &&
           (values[context->proof[0]].there || values[context->proof[1]].there);
}

/* Reads a block of flat JSON objects, one a line, with at least `fewest_keys` known keys and a value in one of the two
 * `proof` columns. What has another key goes as one object into the column `others`; where that is negative, it makes
 * the line odd. Without `gaps`, so does an empty string or `-` under a known key. 0 where memory ends, else 1. */
int32_t native_read_json(Context *context, const uint8_t *data, int64_t length, const Key *keys, int32_t count,
                         int32_t fewest_keys, int32_t proof, int32_t other_proof, int32_t others, int32_t gaps) {
    Value values[MOST_COLUMNS];
    int32_t order[MOST_COLUMNS + 1];
    if (count > MOST_COLUMNS || !start_block(context, data, length)) return 0;
    if (!grow((void **)&context->unescaped, &context->unescaped_room, length, 1)) return 0;
    if (!grow((void **)&context->others, &context->others_room, others < 0 ? 0 : length + 2, 1)) return 0;
    context->others_column = others;
    context->fewest_keys = fewest_keys;
    context->gaps = gaps;
    context->proof[0] = proof, context->proof[1] = other_proof;
    for (int32_t i = 0; i <= count; i++) order[i] = i + 1 < count ? i + 1 : 0;
    int64_t line = 0;
    for (int64_t start = 0; start < length; line++) {
        const uint8_t *newline = memchr(data + start, '\n', (size_t)(length - start));
        int64_t end = newline == NULL ? length : newline - data;
        memset(values, 0, sizeof(Value) * (size_t)context->columns_used);
        if (end == start) {
            /* a blank line is neither */
        } else if (read_json_line(context, data + start, data + end, keys, count, order, values)) {
            if (!append_line(context, values, line)) return 0;
        } else {
            set_aside(context, line, start, end);
        }
        start = end + 1;
    }
    return 1;
}

/* ---------------------------------------------------------------- pairs */

/* Where a head ends that begins at `at`, each tab of it standing for any blanks; null where none begins there. */
static const uint8_t *skip_head(const Key *head, const uint8_t *at, const uint8_t *end) {
    for (int32_t i = 0; i < head->length; i++) {
        const uint8_t *before = at;
        if (head->name[i] != '\t') {
            if (at >= end || *at++ != head->name[i]) return NULL;
        } else if ((at = skip_blanks(at, end)) == before) {
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
    memcpy(context->others + used, literal, (size_t)length);
    memcpy(context->others + used + length, span.at, (size_t)span.length);
    return used + length + span.length;
}

/* `order` is what it is to read_json_line. */
static int read_pairs(Context *context, const uint8_t *at, const uint8_t *end, const Key *keys, int32_t count,
                      int32_t *order, Value *values) {
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
        at = skip_blanks(at, end);
        if (key >= 0) {
            if (seen >> key & 1) return 0;
            seen |= 1ull << key;
            order[previous] = key;
            previous = key;
            Value *value = &values[keys[key].column];
            if (!read_value(context->columns[keys[key].column].kind, text, value, 0) || !value->there) return 0;
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
        values[context->others_column] = (Value){0, {context->others, others}, 1};
    }
    return 1;
}

/* Reads a block of lines that are a time, one of some heads, and pairs of known keys with their values. What has another
 * key goes as one JSON object of strings into the column `others`, the number of the head into the column `head`. 0
 * where memory ends, else 1. */
int32_t native_read_pairs(Context *context, const uint8_t *data, int64_t length, const Key *heads, int32_t heads_count,
                          const Key *keys, int32_t count, int32_t time, int32_t head, int32_t others) {
    Value values[MOST_COLUMNS];
    int32_t order[MOST_COLUMNS + 1];
    if (count > MOST_COLUMNS || !start_block(context, data, length)) return 0;
    if (!grow((void **)&context->others, &context->others_room, 2 * length + 8, 1)) return 0;
    context->others_column = others;
    for (int32_t i = 0; i <= count; i++) order[i] = i + 1 < count ? i + 1 : 0;
    int64_t line = 0;
    for (int64_t start = 0; start < length; line++) {
        const uint8_t *newline = memchr(data + start, '\n', (size_t)(length - start));
        int64_t end = newline == NULL ? length : newline - data;
        const uint8_t *at = data + start, *stop = data + end, *behind = NULL;
        memset(values, 0, sizeof(Value) * (size_t)context->columns_used);
        while (at < stop && *at != ' ' && *at != '\t') at++;
        int sound = read_value(TIME, (Span){data + start, at - data - start}, &values[time], 1);
        for (int32_t i = 0; sound && behind == NULL && i < heads_count; i++) {
            behind = skip_head(&heads[i], at, stop);
            values[head] = (Value){i, {NULL, 0}, 1};
        }
        if (end == start) {
            /* a blank line is neither */
        } else if (behind != NULL && read_pairs(context, behind, stop, keys, count, order, values)) {
            if (!append_line(context, values, line)) return 0;
        } else {
            set_aside(context, line, start, end);
        }
        start = end + 1;
    }
    return 1;
}

/* ---------------------------------------------------------------- rows from elsewhere */

/* Adds one row whose values another reader found: their letters one behind the other, and the length of each, negative
 * where it is missing. 0, and no row, where one is not of its column's kind or memory ends. */
int32_t native_add(Context *context, const uint8_t *letters, const int32_t *lengths) {
    Value values[MOST_COLUMNS];
    for (int32_t i = 0; i < context->columns_used; i++) {
        int64_t length = lengths[i] < 0 ? 0 : lengths[i];
        values[i] = (Value){0, {letters, length}, lengths[i] >= 0};
        if (values[i].there && !read_kind(context->columns[i].kind, values[i].span, &values[i])) return 0;
        if (length > MOST_LETTERS || context->columns[i].letters_used > MOST_LETTERS) return 0;
        letters += length;
    }
    return room_for_rows(context, 1) && append(context, values);
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
