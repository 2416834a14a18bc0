/* Lines of a text layout: fields between literals. */
#ifndef TEXT_H
#define TEXT_H
#include "lines.h"

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

#endif
