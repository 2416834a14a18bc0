/* Values of each kind, and where the lines of a block begin and end. */
#ifndef LINES_H
#define LINES_H
#include "columns.h"

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

#endif
