<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Why deltas were lost. The values are those of the label `reason` of `pushclient_lost_total`.
 */
enum Reason: string
{
    /** A value that is no finite number, or a negative one for a counter. */
    case Value = 'value';
    /** Labels or buckets that cannot be sent. */
    case Label = 'label';
    /** A delta that is longer than any message may be. */
    case TooLong = 'too_long';
    /** Nobody listens there, or the name or the certificate is not right. */
    case Unreachable = 'unreachable';
    /** No answer in time, or no room in the queue of a socket in time. */
    case Timeout = 'timeout';
    /** Pushprom said that it cannot take them now. */
    case Unavailable = 'unavailable';
    /** Pushprom said that it will not take them. */
    case Refused = 'refused';
    /** PHP lacks something that is needed, such as a function that is disabled. */
    case Fault = 'fault';
}
