<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Queue;

use PHPUnit\Framework\TestCase;
use Pushprom\Queue\JobMetrics;
use Pushprom\Queue\Result;
use Pushprom\Tests\Support\Messages;

final class JobMetricsTest extends TestCase
{
    public function testAnAttemptCountsOnce(): void
    {
        $client = new Messages();
        $metrics = new JobMetrics($client);
        $job = new \stdClass();
        $metrics->begin($job);
        self::assertSame([$job], $metrics->running());
        $metrics->end($job, 'mail', 'SendMail', Result::Retry);
        $metrics->end($job, 'mail', 'SendMail', Result::Failed);

        self::assertSame([], $metrics->running());
        self::assertSame([
            'queue_job_duration_seconds{job="SendMail",queue="mail"}' => 'observed 1',
            'queue_jobs_total{job="SendMail",queue="mail",result="retry"}' => 1,
        ], $client->rest());
    }

    public function testAJobThatNeverEndsIsNotHeld(): void
    {
        $metrics = new JobMetrics(new Messages());
        $metrics->begin(new \stdClass());

        self::assertSame([], $metrics->running());
    }
}
