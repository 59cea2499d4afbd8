/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Captures: a small one byte for byte, sequence numbers, foreign parties, and what tshark reads if
 * it is installed. */
#define _DEFAULT_SOURCE /* mkstemp, popen */
#include "trace_kit.h"

#include "trace/pcap.h"

#include <stdlib.h>
#include <unistd.h>

static struct kit_alloc k;
static struct dt_record r;

static int setup(void **state)
{
    (void)state;
    kit_alloc_init(&k);
    dt_record_init(&r, &k.alloc);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dt_record_clear(&r);
    return k.live == 0 ? 0 : -1;
}

/* Checksums worked out by hand from RFC 791, RFC 768 and RFC 1071. */
static const unsigned char small[] = {
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0,
    /* 1.5 s, 30 bytes */
    1, 0, 0, 0, 0x20, 0xa1, 7, 0, 30, 0, 0, 0, 30, 0, 0, 0,
    /* IPv4 */
    0x45, 0, 0, 30, 0, 0, 0x40, 0, 64, 17, 0xb6, 0xcb, 192, 0, 2, 1, 192, 0, 2, 2,
    /* UDP */
    0x13, 0xc4, 0x13, 0xc4, 0, 10, 0xeb, 0xe4, 'h', 'i'};

static uint32_t sum_of(const unsigned char *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void test_bytes(void **state)
{
    (void)state;
    kit_packet(&r, 500 * DT_MS, DT_REC_SENT, 0, 1, "hi");
    struct dt_bytes *b = dt_pcap_make(&r, DT_SECOND);
    assert_int_equal(b->n, sizeof small);
    assert_memory_equal(b->data, small, sizeof small);
    dt_bytes_drop(b);
    /* And the vector itself is right: a header with its sum adds up to all ones. */
    unsigned char pseudo[] = {192, 0, 2, 1, 192, 0, 2, 2, 0, 17, 0, 10};
    assert_int_equal(sum_of(small + 40, 20), 0xffff);
    uint32_t udp = sum_of(pseudo, sizeof pseudo) + sum_of(small + 60, 10);
    assert_int_equal((udp & 0xffff) + (udp >> 16), 0xffff);
}

static size_t packets(const struct dt_bytes *b)
{
    size_t n = 0;
    for (size_t at = 24; at < b->n; n++) {
        const unsigned char *p = (const unsigned char *)b->data + at;
        at += 16 + ((size_t)p[8] | (size_t)p[9] << 8 | (size_t)p[10] << 16);
        assert_true(at <= b->n);
    }
    return n;
}

/* What arrived is a packet only if its sender wrote nothing. */
static void test_which_items(void **state)
{
    (void)state;
    kit_parties(&r, "ABF");
    kit_packet(&r, 1, DT_REC_SENT, 0, 1, "sent");
    kit_packet(&r, 2, DT_REC_ARRIVED, 0, 1, "sent");
    kit_packet(&r, 3, DT_REC_LOST, 0, 1, "sent");
    kit_packet(&r, 4, DT_REC_UNHEARD, 0, 1, "sent");
    kit_packet(&r, 5, DT_REC_ARRIVED, 2, 1, "of a foreign party");
    kit_packet(&r, 6, DT_REC_ARRIVED, 99, 1, "of a stranger");
    kit_event(&r, 7, DT_EV_SCREEN, 0, "no packet");
    struct dt_bytes *b = dt_pcap_make(&r, 0);
    assert_int_equal(packets(b), 3);
    dt_bytes_drop(b);
}

static void add(struct dt_addr from, struct dt_addr to, const char *text)
{
    struct dt_record_item it = {.kind = DT_REC_SENT, .who = DT_RECORD_NOBODY};
    it.from = from;
    it.to = to;
    it.bytes = dt_bytes_copy(&k.alloc, dt_str_z(text));
    dt_record_add(&r, &it);
    dt_bytes_drop(it.bytes);
}

static const char invite[] = "INVITE sip:b@example.com SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                             "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
                             "Call-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";

/* Both families, both transports, two pieces of a stream, an odd length. */
static void fill(void)
{
    struct dt_addr a = kit_addr(0), b = kit_addr(1);
    struct dt_addr a6 = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 5060, .family = 6};
    struct dt_addr b6 = a6;
    b6.ip[15] = 2;
    add(a, b, invite);
    add(a6, b6, invite);
    a.transport = b.transport = a6.transport = b6.transport = DT_TCP;
    a.port = 40000;
    a6.port = 40001;
    char half[200];
    snprintf(half, sizeof half, "%.101s", invite);
    add(a, b, half);
    add(a, b, invite + 101);
    add(b, a, "SIP/2.0 100 Trying\r\n\r\n");
    add(a6, b6, invite);
}

static void test_streams(void **state)
{
    (void)state;
    fill();
    struct dt_bytes *b = dt_pcap_make(&r, 0);
    assert_int_equal(packets(b), 6);
    const unsigned char *p = (const unsigned char *)b->data + 24;
    uint32_t sequence[6], ack[6];
    for (int i = 0; i < 6; i++) {
        size_t ip = p[16] >> 4 == 6 ? 40 : 20;
        const unsigned char *tcp = p + 16 + ip;
        sequence[i] = (uint32_t)(tcp[6] << 8 | tcp[7]);
        ack[i] = (uint32_t)(tcp[10] << 8 | tcp[11]);
        p += 16 + ((size_t)p[8] | (size_t)p[9] << 8);
    }
    assert_int_equal(sequence[2], 1);
    assert_int_equal(sequence[3], 102);
    assert_int_equal(ack[3], 1);
    assert_int_equal(sequence[4], 1);
    assert_int_equal(ack[4], sizeof invite); /* 1 + all but the NUL */
    dt_bytes_drop(b);
}

static void test_tshark(void **state)
{
    char path[] = "/tmp/dualtone-pcap-XXXXXX", command[512], line[256];
    static const char *const want[] = {"INVITE", "INVITE", "INVITE", "100", "INVITE"};
    (void)state;
    if (system("command -v tshark >/dev/null 2>&1") != 0) {
        print_message("tshark is not installed: captures were checked by their bytes only\n");
        return;
    }
    fill();
    struct dt_bytes *b = dt_pcap_make(&r, 0);
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, b->data, b->n) == (ssize_t)b->n);
    close(fd);
    dt_bytes_drop(b);
    /* Checksums are looked at, and a bad one prints a word that is not wanted. */
    snprintf(command, sizeof command,
             "tshark -r %s -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE "
             "-o tcp.check_checksum:TRUE -T fields -e sip.Method -e sip.Status-Code "
             "-e _ws.expert.message -Y sip 2>/dev/null",
             path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = 0;
    while (fgets(line, sizeof line, f)) {
        assert_true(n < sizeof want / sizeof *want);
        if (!strstr(line, want[n]) || strstr(line, "hecksum"))
            fail_msg("packet %zu: %s", n, line);
        n++;
    }
    pclose(f);
    unlink(path);
    assert_int_equal(n, sizeof want / sizeof *want);
}

static void test_memory(void **state)
{
    (void)state;
    fill();
    for (size_t n = 1; n <= 2; n++) {
        k.fail_at = k.calls + n;
        assert_null(dt_pcap_make(&r, 0));
    }
    k.fail_at = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_bytes),  TEST(test_which_items), TEST(test_streams),
        TEST(test_tshark), TEST(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
