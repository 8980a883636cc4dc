<?php

declare(strict_types=1);

namespace Pushprom\Queue;

/**
 * How an attempt at a job ended. The values are those of the label `result` of `queue_jobs_total`.
 */
enum Result: string
{
    /** It is done. */
    case Processed = 'processed';
    /** It goes back to the queue, for another attempt. */
    case Retry = 'retry';
    /** It was given up. */
    case Failed = 'failed';
    /** Its worker was stopped in the middle, because it took too long. */
    case Timeout = 'timeout';
}
