<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Contracts\Queue\Job;
use Illuminate\Queue\Events\JobExceptionOccurred;
use Illuminate\Queue\Events\JobProcessed;
use Illuminate\Queue\Events\JobProcessing;
use Illuminate\Queue\Events\WorkerStopping;
use Illuminate\Queue\Jobs\SyncJob;
use Pushprom\ClientInterface;
use Pushprom\Queue\JobMetrics;
use Pushprom\Queue\Result;

/**
 * Counts jobs of queues, and sends what was recorded after each.
 *
 * Every attempt ends with JobProcessed or JobExceptionOccurred, whether or not JobFailed comes too, or else
 * with its worker.
 */
final class JobListener
{
    /** Methods by the event that they listen to. */
    public const EVENTS = [
        JobProcessing::class => 'begin',
        JobProcessed::class => 'endProcessed',
        JobExceptionOccurred::class => 'endException',
        WorkerStopping::class => 'endWorker',
    ];

    public function __construct(
        private readonly JobMetrics $metrics,
        private readonly ClientInterface $client
    ) {
    }

    public function begin(JobProcessing $event): void
    {
        $this->metrics->begin($event->job);
    }

    public function endProcessed(JobProcessed $event): void
    {
        $this->end($event->job, $event->job->isReleased() ? Result::Retry : Result::Processed);
    }

    public function endException(JobExceptionOccurred $event): void
    {
        // What runs where it was dispatched is marked as failed only after this, and never tried again.
        $this->end($event->job, $event->job instanceof SyncJob ? Result::Failed : Result::Retry);
    }

    /**
     * A worker that is stopped by its timeout kills its process after this.
     */
    public function endWorker(): void
    {
        foreach ($this->metrics->running() as $job) {
            if ($job instanceof Job) {
                $this->count($job, Result::Timeout);
            }
        }
        $this->client->flush();
    }

    private function end(Job $job, Result $result): void
    {
        $this->count($job, $result);
        // What runs where it was dispatched may have a response to come, which should not wait.
        if (!$job instanceof SyncJob) {
            $this->client->flush();
        }
    }

    private function count(Job $job, Result $result): void
    {
        $queue = (string) $job->getQueue();
        $this->metrics->end($job, $queue, $job->resolveName(), $job->hasFailed() ? Result::Failed : $result);
    }
}
