/* Lines that are a head and `key=value` after `key=value`. */
#ifndef PAIRS_H
#define PAIRS_H
#include "json.h"

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

#endif
