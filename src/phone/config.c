/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parameters of guide/configuration.md, each a row; the last block is ours. */
#include "phone/phone.h"

/* Where a value goes: a field of the configuration, of a line, or nowhere yet. */
#define FIELD(field) offsetof(struct dt_phone_config, field)
#define NOWHERE offsetof(struct dt_phone_config, not_used)

#define TEXT(name_, offset_, preset_, help_, source_) \
    { \
        .name = (name_), .type = DT_OPTION_TEXT, .offset = (offset_), .preset = (preset_), \
        .help = (help_), .source = (source_) \
    }
#define ADDRESS(name_, offset_, help_, source_) \
    { \
        .name = (name_), .type = DT_OPTION_ADDRESS, .offset = (offset_), .help = (help_), \
        .source = (source_) \
    }
#define SWITCH(name_, offset_, preset_, help_, source_) \
    { \
        .name = (name_), .type = DT_OPTION_SWITCH, .offset = (offset_), .preset = (preset_), \
        .help = (help_), .source = (source_) \
    }
#define CHOICE(name_, offset_, preset_, words_, help_, source_) \
    { \
        .name = (name_), .type = DT_OPTION_CHOICE, .offset = (offset_), .preset = (preset_), \
        .choices = (words_), .help = (help_), .source = (source_) \
    }
#define NUMBER(name_, offset_, preset_, min_, max_, unit_, help_, source_) \
    { \
        .name = (name_), .type = DT_OPTION_NUMBER, .offset = (offset_), .preset = (preset_), \
        .min = (min_), .max = (max_), .unit = (unit_), .help = (help_), .source = (source_) \
    }
#define PORT(name_, offset_, preset_, help_, source_) \
    NUMBER(name_, offset_, preset_, 1, 65535, NULL, help_, source_)
/* 0 off, 1 on, the user may change it; 2 off, 3 on for good (guide v4.0 3-10). */
#define FOUR_WAY(name_, offset_, preset_, help_, source_) \
    NUMBER(name_, offset_, preset_, 0, 3, NULL, help_, source_)
/* lineN_*: one row for all six. */
#define LINE_TEXT(name_, field_, preset_, help_, source_) \
    { \
        .name = (name_), .type = DT_OPTION_TEXT, .offset = FIELD(lines[0].field_), \
        .preset = (preset_), .count = DT_PHONE_LINES, \
        .stride = sizeof(struct dt_phone_line_config), .help = (help_), .source = (source_) \
    }

#define TPL "the firmware's SIPDefault.cnf"
#define CME "Cisco Unified CME"

const struct dt_option dt_phone_options[] = {
    /* ---- proxies and registration (3.1) ---- */
    {.name = "proxy%_address",
     .type = DT_OPTION_ADDRESS,
     .offset = FIELD(lines[0].proxy),
     .count = DT_PHONE_LINES,
     .stride = sizeof(struct dt_phone_line_config),
     .help = "primary proxy of the line; empty: line 1's",
     .source = TPL},
    {.name = "proxy%_port",
     .type = DT_OPTION_NUMBER,
     .offset = FIELD(lines[0].proxy_port),
     .preset = "5060",
     .min = 1,
     .max = 65535,
     .count = DT_PHONE_LINES,
     .stride = sizeof(struct dt_phone_line_config),
     .help = "its port; 5060 with a name asks DNS (SRV) first",
     .source = TPL},
    ADDRESS("proxy_backup", FIELD(proxy_backup), "backup proxy for new calls; empty: none",
            "guide v4.0 1-9"),
    PORT("proxy_backup_port", FIELD(proxy_backup_port), "5060", "port of the backup proxy", TPL),
    ADDRESS("proxy_emergency", FIELD(proxy_emergency),
            "proxy of dial-plan entries with Route=\"emergency\"", "guide v4.0 1-9"),
    PORT("proxy_emergency_port", FIELD(proxy_emergency_port), "5060", "port of the emergency proxy",
         TPL),
    ADDRESS("outbound_proxy", FIELD(outbound_proxy),
            "all requests but the backup's go there; a number, or a name without SRV", TPL),
    PORT("outbound_proxy_port", FIELD(outbound_proxy_port), "5060", "port of the outbound proxy",
         TPL),
    SWITCH("proxy_register", FIELD(proxy_register), "0", "register the lines at their proxy", TPL),
    NUMBER("timer_register_expires", FIELD(timer_register_expires), "3600", 1, 3932100, "s",
           "registration lifetime asked for", TPL),
    NUMBER("timer_register_delta", FIELD(timer_register_delta), "5", 0, 3600, "s",
           "register again so much before the end", CME),
    CHOICE("user_info", FIELD(user_info), "none", "none|phone|ip",
           "user= parameter when registering", TPL),
    SWITCH("remote_party_id", NOWHERE, "0", "send Remote-Party-ID", TPL),

    /* ---- timers and retransmission (3.2) ---- */
    NUMBER("timer_t1", FIELD(timer_t1), "500", 10, 5000, "ms", "lowest retransmission interval",
           "guide v2.0 3-10"),
    NUMBER("timer_t2", FIELD(timer_t2), "4000", 11, 60000, "ms",
           "highest retransmission interval; above timer_t1", "guide v2.0 3-10"),
    NUMBER("timer_invite_expires", FIELD(timer_invite_expires), "180", 1, 3600, "s",
           "until an INVITE expires", "guide v2.0 3-10"),
    NUMBER("sip_invite_retx", FIELD(sip_invite_retx), "6", 1, 20, "retransmissions",
           "retransmissions of an INVITE: 6 makes seven tries", "guide v4.0 B-58"),
    NUMBER("sip_retx", FIELD(sip_retx), "10", 1, 40, "retransmissions",
           "retransmissions of any other request", TPL),

    /* ---- media and DTMF (3.3) ---- */
    CHOICE("preferred_codec", FIELD(preferred_codec), "g711ulaw",
           "g711ulaw|g711alaw|g729a|g729|none", "codec listed first", TPL),
    NUMBER("tos_media", FIELD(tos_media), "5", 0, 5, NULL, "IP precedence of the media", TPL),
    SWITCH("enable_vad", NOWHERE, "0", "voice activity detection", TPL),
    NUMBER("start_media_port", FIELD(start_media_port), "16384", 16384, 32766, NULL,
           "first RTP port", TPL),
    NUMBER("end_media_port", FIELD(end_media_port), "32766", 16384, 32766, NULL, "last RTP port",
           TPL),
    SWITCH("dtmf_inband", NOWHERE, "1", "DTMF as tones in the audio", "guide v2.0 3-10"),
    NUMBER("dtmf_db_level", NOWHERE, "3", 1, 5, NULL,
           "level of in-band tones: 1 -6 dB, 2 -3 dB, 3 nominal, 4 +3 dB, 5 +6 dB",
           "guide v2.0 3-10"),
    CHOICE("dtmf_outofband", NOWHERE, "avt", "none|avt|avt_always", "DTMF as RTP events",
           "guide v2.0 3-10"),
    NUMBER("dtmf_avt_payload", NOWHERE, "101", 96, 255, NULL,
           "RTP payload type of DTMF events; above 127: 101", "guide v2.0 3-10"),
    SWITCH("call_stats", NOWHERE, "0", "RTP statistics in BYE and its response", "guide v7.5 D"),

    /* ---- SIP port and NAT (3.4) ---- */
    PORT("voip_control_port", FIELD(voip_control_port), "5060", "SIP port of the phone", TPL),
    SWITCH("nat_enable", NOWHERE, "0", "NAT support", TPL),
    ADDRESS("nat_address", NOWHERE, "outer address of the NAT", TPL),
    SWITCH("nat_received_processing", NOWHERE, "0", "act on received= in Via", TPL),

    /* ---- call features (3.5) ---- */
    FOUR_WAY("dnd_control", FIELD(dnd_control), "0",
             "do not disturb: 0 off, 1 on, 2 off and 3 on for good", TPL),
    FOUR_WAY("callerid_blocking", FIELD(callerid_blocking), "0",
             "call as anonymous: 0 off, 1 on, 2 off and 3 on for good", TPL),
    FOUR_WAY("anonymous_call_block", FIELD(anonymous_call_block), "0",
             "reject anonymous calls: 0 off, 1 on, 2 off and 3 on for good", "guide v7.5 D"),
    FOUR_WAY("call_waiting", FIELD(call_waiting), "1",
             "accept a second call: 0 off, 1 on, 2 off and 3 on for good", "guide v4.0 3-10"),
    FOUR_WAY("call_hold_ringback", NOWHERE, "0", "ring when a call is still held at hanging up",
             "guide v7.5 D"),
    SWITCH("stutter_msg_waiting", NOWHERE, "0", "stutter dial tone while messages wait", TPL),
    SWITCH("cnf_join_enable", NOWHERE, "1", "join the other two when the bridge hangs up", TPL),
    SWITCH("semi_attended_transfer", NOWHERE, "1", "transfer while the target rings", TPL),
    SWITCH("transfer_onhook_enabled", NOWHERE, "0", "hanging up completes a transfer",
           "8.x, field"),
    NUMBER("auto_answer", NOWHERE, "0", 0, 63, NULL, "intercom lines: bit 0 is line 1",
           "guide v7.5 D"),
    SWITCH("autocomplete", NOWHERE, "1", "complete numbers while dialling", "guide v7.5 D"),
    SWITCH("local_cfwd_enable", NOWHERE, "1", "forwarding by the phone (302)", CME),
    TEXT("cfwd_url", NOWHERE, NULL, "where the phone forwards to", CME),
    SWITCH("rfc_2543_hold", FIELD(rfc_2543_hold), "0", "hold with c=0.0.0.0 in place of a=sendonly",
           "guide v4.0 B-9"),
    TEXT("messages_uri", NOWHERE, NULL, "number of the Messages key", TPL),
    {.name = "speed_line%",
     .type = DT_OPTION_TEXT,
     .offset = NOWHERE,
     .count = 5,
     .help = "speed dial of an unused line key",
     .source = CME},
    {.name = "speed_label%",
     .type = DT_OPTION_TEXT,
     .offset = NOWHERE,
     .count = 5,
     .help = "its label",
     .source = CME},

    /* ---- lines and identity (3.6) ---- */
    LINE_TEXT("line%_name", name, NULL, "number or user part of the line's address",
              "guide v4.0 3-24"),
    LINE_TEXT("line%_shortname", shortname, NULL, "label on the screen; empty: the name",
              "guide v4.0 3-24"),
    LINE_TEXT("line%_authname", authname, NULL, "name for authentication; empty: line 1's",
              "guide v4.0 3-24"),
    LINE_TEXT("line%_password", password, NULL, "its password; empty: line 1's", "guide v4.0 3-24"),
    LINE_TEXT("line%_displayname", displayname, NULL, "name that the other side shows", TPL),
    {.name = "line%_contact",
     .type = DT_OPTION_TEXT,
     .offset = NOWHERE,
     .count = DT_PHONE_LINES,
     .help = "URL for Contact; empty: the phone's address",
     .source = "8.x, field"},
    TEXT("phone_label", FIELD(phone_label), NULL, "text beside the lines on the screen", TPL),
    TEXT("phone_prompt", NOWHERE, "SIP Phone", "prompt of console and telnet", TPL),
    TEXT("phone_password", NOWHERE, "cisco", "password of console and telnet", TPL),

    /* ---- time (3.7) ---- */
    ADDRESS("sntp_server", NOWHERE, "time server; 0.0.0.0: none", CME),
    CHOICE("sntp_mode", NOWHERE, "directedbroadcast", "unicast|multicast|anycast|directedbroadcast",
           "how time is asked for", "guide v2.0 3-24"),
    TEXT("time_zone", NOWHERE, NULL, "EST, GMT, ...", TPL),
    SWITCH("time_format_24hr", NOWHERE, "1", "24-hour clock", TPL),
    TEXT("date_format", NOWHERE, "M/D/Y", "order of month, day and year", CME),
    SWITCH("dst_auto_adjust", NOWHERE, "1", "daylight saving time", TPL),
    TEXT("dst_offset", NOWHERE, "1", "hours that it adds", TPL),
    TEXT("dst_start_month", NOWHERE, "April", "month in which it starts", CME),
    TEXT("dst_stop_month", NOWHERE, "October", "month in which it ends", CME),
    TEXT("dst_start_time", NOWHERE, "02:00", "hour at which it starts", "guide v2.0 3-26"),
    TEXT("dst_stop_time", NOWHERE, "02:00", "hour at which it ends", "guide v2.0 3-26"),
    NUMBER("dst_start_day", NOWHERE, NULL, 0, 31, NULL, "day; 0: by the day of the week",
           "guide v2.0 3-26"),
    NUMBER("dst_stop_day", NOWHERE, NULL, 0, 31, NULL, "day; 0: by the day of the week",
           "guide v2.0 3-26"),
    TEXT("dst_start_day_of_week", NOWHERE, "Sun", "Sun to Sat, or 1 to 7 with 1 Sunday",
         "guide v2.0 3-26"),
    TEXT("dst_stop_day_of_week", NOWHERE, "Sun", "Sun to Sat, or 1 to 7 with 1 Sunday",
         "guide v2.0 3-26"),
    NUMBER("dst_start_week_of_month", NOWHERE, "1", 1, 8, NULL, "1 to 6, or 8 for the last",
           "guide v2.0 3-26"),
    NUMBER("dst_stop_week_of_month", NOWHERE, "8", 1, 8, NULL, "1 to 6, or 8 for the last",
           "guide v2.0 3-26"),

    /* ---- network, services, maintenance (3.8) ---- */
    TEXT("image_version", NOWHERE, NULL, "firmware image", CME),
    TEXT("tftp_cfg_dir", NOWHERE, NULL, "TFTP folder of the phones' files", TPL),
    TEXT("dial_template", NOWHERE, "dialplan", "dial plan file, without .xml", "guide v4.0 2-18"),
    TEXT("sync", NOWHERE, "1", "compared with syncinfo.xml", TPL),
    NUMBER("telnet_level", NOWHERE, "0", 0, 2, NULL, "0 off, 1 on, 2 privileged commands too", TPL),
    {.name = "dyn_dns_addr_%",
     .type = DT_OPTION_ADDRESS,
     .offset = FIELD(dns[0]),
     .count = 2,
     .stride = sizeof(struct dt_str),
     .help = "DNS server in place of the system's: an IP address, or with a port",
     .source = TPL},
    ADDRESS("dyn_tftp_addr", NOWHERE, "TFTP server in place of DHCP's", TPL),
    ADDRESS("http_proxy_addr", NOWHERE, "HTTP proxy of the services", TPL),
    PORT("http_proxy_port", NOWHERE, "80", "its port", TPL),
    TEXT("services_url", NOWHERE, NULL, "XML services", TPL),
    TEXT("directory_url", NOWHERE, NULL, "external directory", TPL),
    TEXT("logo_url", NOWHERE, NULL, "logo on the screen", TPL),
    TEXT("language", NOWHERE, NULL, "language of the screen", TPL),
    TEXT("network_media_type", NOWHERE, "Auto", "speed and duplex of the network port", CME),
    TEXT("network_port2_type", NOWHERE, "Hub/Switch", "what is at the PC port", CME),
    TEXT("Domain_Name", NOWHERE, NULL, "DNS domain", CME),

    /* ---- ours ---- */
    SWITCH("proxy_register_backup", FIELD(proxy_register_backup), "0",
           "register the lines at the backup proxy too", "guide v7.x 1-11"),
    CHOICE("proxy_failover", FIELD(proxy_failover), "guide", "guide|fast",
           "when the backup is tried", "design.md R28"),
    SWITCH("sip_tcp", FIELD(sip_tcp), "0",
           "use TCP too: listen on it, and send large requests by it", "RFC 3261 18"),
    CHOICE("proxy_transport", FIELD(proxy_transport), "auto", "auto|udp|tcp",
           "how the proxies are reached; auto: as DNS says, else UDP; tcp sets sip_tcp",
           "RFC 3263 4.1"),
    ADDRESS("line_domain", FIELD(line_domain),
            "domain of the lines at every proxy; empty: the proxy's address", "RFC 3261 10.2"),
};
_Static_assert(sizeof dt_phone_options / sizeof dt_phone_options[0] == DT_PHONE_OPTIONS,
               "a row more or less: change DT_PHONE_OPTIONS");
const size_t dt_phone_options_n = sizeof dt_phone_options / sizeof dt_phone_options[0];

bool dt_phone_option_used(const struct dt_option *o)
{
    /* These have fields already; the dial plan and the media engine do not read them yet. */
    static const size_t waiting[] = {
        FIELD(proxy_emergency),
        FIELD(proxy_emergency_port),
        FIELD(tos_media),
    };
    bool used = o->offset != NOWHERE;
    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++)
        used = used && o->offset != waiting[i];
    return used;
}
