/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header table: a row for every header of RFC 3261 and of the RFCs that the guide's phone and
 * our proxy speak. To add one: docs/adding-a-header.md. */
#ifndef DUALTONE_HEADERS_H
#define DUALTONE_HEADERS_H

enum {
    DT_HF_SINGLE = 1, /* a second line is a syntax error */
    DT_HF_LIST = 2    /* values separated by commas */
};

/* id, name, compact form or 0, flags; the RFC is 3261 section 20 unless said otherwise */
#define DT_HEADERS(X) \
    X(VIA, "Via", 'v', DT_HF_LIST) \
    X(FROM, "From", 'f', DT_HF_SINGLE) \
    X(TO, "To", 't', DT_HF_SINGLE) \
    X(CALL_ID, "Call-ID", 'i', DT_HF_SINGLE) \
    X(CSEQ, "CSeq", 0, DT_HF_SINGLE) \
    X(MAX_FORWARDS, "Max-Forwards", 0, DT_HF_SINGLE) \
    X(CONTACT, "Contact", 'm', DT_HF_LIST) \
    X(ROUTE, "Route", 0, DT_HF_LIST) \
    X(RECORD_ROUTE, "Record-Route", 0, DT_HF_LIST) \
    X(DUALTONE_COPY, "Dualtone-Copy", 0, DT_HF_SINGLE) /* docs/survival.md */ \
    X(PATH, "Path", 0, DT_HF_LIST)                     /* RFC 3327 */ \
    X(CONTENT_LENGTH, "Content-Length", 'l', DT_HF_SINGLE) \
    X(CONTENT_TYPE, "Content-Type", 'c', DT_HF_SINGLE) \
    X(EXPIRES, "Expires", 0, DT_HF_SINGLE) \
    X(MIN_EXPIRES, "Min-Expires", 0, DT_HF_SINGLE) \
    X(AUTHORIZATION, "Authorization", 0, 0) \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, 0) \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 0, 0) \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, 0) \
    X(AUTHENTICATION_INFO, "Authentication-Info", 0, DT_HF_LIST) \
    X(REQUIRE, "Require", 0, DT_HF_LIST) \
    X(PROXY_REQUIRE, "Proxy-Require", 0, DT_HF_LIST) \
    X(SUPPORTED, "Supported", 'k', DT_HF_LIST) \
    X(UNSUPPORTED, "Unsupported", 0, DT_HF_LIST) \
    X(ALLOW, "Allow", 0, DT_HF_LIST) \
    X(WARNING, "Warning", 0, DT_HF_LIST) \
    X(RETRY_AFTER, "Retry-After", 0, DT_HF_SINGLE) \
    X(DIVERSION, "Diversion", 0, DT_HF_LIST) /* RFC 5806 */ \
    X(ACCEPT, "Accept", 0, DT_HF_LIST) \
    X(ACCEPT_ENCODING, "Accept-Encoding", 0, DT_HF_LIST) \
    X(ACCEPT_LANGUAGE, "Accept-Language", 0, DT_HF_LIST) \
    X(ALERT_INFO, "Alert-Info", 0, DT_HF_LIST) \
    X(CALL_INFO, "Call-Info", 0, DT_HF_LIST) \
    X(CONTENT_DISPOSITION, "Content-Disposition", 0, DT_HF_SINGLE) \
    X(CONTENT_ENCODING, "Content-Encoding", 'e', DT_HF_LIST) \
    X(CONTENT_LANGUAGE, "Content-Language", 0, DT_HF_LIST) \
    X(DATE, "Date", 0, DT_HF_SINGLE) \
    X(ERROR_INFO, "Error-Info", 0, DT_HF_LIST) \
    X(IN_REPLY_TO, "In-Reply-To", 0, DT_HF_LIST) \
    X(MIME_VERSION, "MIME-Version", 0, DT_HF_SINGLE) \
    X(ORGANIZATION, "Organization", 0, DT_HF_SINGLE) \
    X(PRIORITY, "Priority", 0, DT_HF_SINGLE) \
    X(REPLY_TO, "Reply-To", 0, DT_HF_SINGLE) \
    X(SERVER, "Server", 0, DT_HF_SINGLE) \
    X(SUBJECT, "Subject", 's', DT_HF_SINGLE) \
    X(TIMESTAMP, "Timestamp", 0, DT_HF_SINGLE) \
    X(USER_AGENT, "User-Agent", 0, DT_HF_SINGLE) \
    X(REFER_TO, "Refer-To", 'r', DT_HF_SINGLE)                     /* RFC 3515 */ \
    X(REFERRED_BY, "Referred-By", 'b', DT_HF_SINGLE)               /* RFC 3892 */ \
    X(REPLACES, "Replaces", 0, DT_HF_SINGLE)                       /* RFC 3891 */ \
    X(JOIN, "Join", 0, DT_HF_SINGLE)                               /* RFC 3911 */ \
    X(EVENT, "Event", 'o', DT_HF_SINGLE)                           /* RFC 6665 */ \
    X(ALLOW_EVENTS, "Allow-Events", 'u', DT_HF_LIST)               /* RFC 6665 */ \
    X(SUBSCRIPTION_STATE, "Subscription-State", 0, DT_HF_SINGLE)   /* RFC 6665 */ \
    X(ALSO, "Also", 0, DT_HF_LIST)                                 /* the guide's 2.0 transfer */ \
    X(REQUESTED_BY, "Requested-By", 0, DT_HF_SINGLE)               /* the guide's 2.0 transfer */ \
    X(REMOTE_PARTY_ID, "Remote-Party-ID", 0, DT_HF_LIST)           /* the guide */ \
    X(RTP_RXSTAT, "RTP-RxStat", 0, DT_HF_SINGLE)                   /* the guide, call_stats */ \
    X(RTP_TXSTAT, "RTP-TxStat", 0, DT_HF_SINGLE)                   /* the guide, call_stats */ \
    X(RACK, "RAck", 0, DT_HF_SINGLE)                               /* RFC 3262 */ \
    X(RSEQ, "RSeq", 0, DT_HF_SINGLE)                               /* RFC 3262 */ \
    X(SESSION_EXPIRES, "Session-Expires", 'x', DT_HF_SINGLE)       /* RFC 4028 */ \
    X(MIN_SE, "Min-SE", 0, DT_HF_SINGLE)                           /* RFC 4028 */ \
    X(REASON, "Reason", 0, DT_HF_LIST)                             /* RFC 3326 */ \
    X(SERVICE_ROUTE, "Service-Route", 0, DT_HF_LIST)               /* RFC 3608 */ \
    X(PRIVACY, "Privacy", 0, 0)                                    /* RFC 3323 */ \
    X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, DT_HF_LIST)   /* RFC 3325 */ \
    X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, DT_HF_LIST) /* RFC 3325 */ \
    X(HISTORY_INFO, "History-Info", 0, DT_HF_LIST)                 /* RFC 7044 */ \
    X(SIP_ETAG, "SIP-ETag", 0, DT_HF_SINGLE)                       /* RFC 3903 */ \
    X(SIP_IF_MATCH, "SIP-If-Match", 0, DT_HF_SINGLE)               /* RFC 3903 */ \
    X(MAX_BREADTH, "Max-Breadth", 0, DT_HF_SINGLE)                 /* RFC 5393 */ \
    X(ACCEPT_CONTACT, "Accept-Contact", 'a', DT_HF_LIST)           /* RFC 3841 */ \
    X(REJECT_CONTACT, "Reject-Contact", 'j', DT_HF_LIST)           /* RFC 3841 */ \
    X(REQUEST_DISPOSITION, "Request-Disposition", 'd', DT_HF_LIST) /* RFC 3841 */ \
    X(IDENTITY, "Identity", 'y', 0)                                /* RFC 8224 */ \
    X(FLOW_TIMER, "Flow-Timer", 0, DT_HF_SINGLE)                   /* RFC 5626 */ \
    X(SECURITY_CLIENT, "Security-Client", 0, DT_HF_LIST)           /* RFC 3329 */ \
    X(SECURITY_SERVER, "Security-Server", 0, DT_HF_LIST)           /* RFC 3329 */ \
    X(SECURITY_VERIFY, "Security-Verify", 0, DT_HF_LIST)           /* RFC 3329 */ \
    X(TARGET_DIALOG, "Target-Dialog", 0, DT_HF_SINGLE)             /* RFC 4538 */ \
    X(ANSWER_MODE, "Answer-Mode", 0, DT_HF_SINGLE)                 /* RFC 5373 */ \
    X(DUALTONE_NODE, "Dualtone-Node", 0, DT_HF_SINGLE)             /* ours: design.md R17 */

#endif
