<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Contracts\Queue\Job;
use Illuminate\Queue\Events\JobExceptionOccurred;
use Illuminate\Queue\Events\JobFailed;
use Illuminate\Queue\Events\JobProcessed;
use Illuminate\Queue\Events\JobProcessing;
use Illuminate\Queue\Events\WorkerStopping;
use Illuminate\Queue\Jobs\SyncJob;
use Pushprom\Attempt;
use Pushprom\ClientInterface;
use Pushprom\Queue\JobMetrics;
use Pushprom\Queue\Result;

/**
 * Counts jobs of queues, and sends what was recorded after each.
 *
 * Every attempt ends with JobProcessed, JobExceptionOccurred or JobFailed, or else with its worker. The first of
 * them counts: if the class of a job is gone, or if its own failed() throws, there is JobFailed alone.
 */
final class JobListener
{
    /** Methods by the event that they listen to. */
    public const EVENTS = [
        JobProcessing::class => 'begin',
        JobProcessed::class => 'endProcessed',
        JobExceptionOccurred::class => 'endException',
        JobFailed::class => 'endFailed',
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

    public function endFailed(JobFailed $event): void
    {
        $this->end($event->job, Result::Failed);
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
        // Whatever the payload says, which another application may have written.
        $name = Attempt::at($job->resolveName(...));
        $this->metrics->end(
            $job,
            (string) $job->getQueue(),
            \is_scalar($name) ? (string) $name : JobMetrics::UNKNOWN,
            $job->hasFailed() ? Result::Failed : $result
        );
    }
}
