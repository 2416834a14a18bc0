/* The tokenising kernel: honest lines of a block to columns, every other line handed back untouched.
 *
 * It knows three shapes of line, each in a file beside this one: a text layout (fields between literals), a flat JSON
 * object, and `key=value` behind a head, and only their plain forms. Whatever is unusual (another number of quotes, a
 * value of another type, a nested object) makes the line odd and leaves it to Python, so that nothing but speed is decided
 * here. tests/parsing/test_native.py holds it to the careful reader, line by line.
 *
 * Rows are gathered over as many blocks as the caller likes, until it has the context forget them. No byte outside
 * [data, data + length) is read: the last lines are read from a copy with a margin behind it, so that whole words may be
 * read where a value or a literal is shorter. Memory belongs to the context, grows only, and is freed with it. Nothing
 * here knows of Python, Arrow or threads.
 */
#include "json.h"
#include "pairs.h"
#include "text.h"

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
uint32_t native_source(void) { return NATIVE_SOURCE; } /* the CRC-32 of this file and those beside it */

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
