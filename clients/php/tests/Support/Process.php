<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * A process that a test has started; ended with the test.
 */
final class Process
{
    /** @var resource */
    private $process;

    private readonly string $folder;

    /** PHP tells it once. */
    private ?int $exitStatus = null;

    /**
     * @param list<string> $command
     * @param array<string, string> $environment more of it
     * @param array<int, resource> $streams that it finds open, by their numbers
     */
    public function __construct(array $command, array $environment = [], array $streams = [])
    {
        $this->folder = Folder::make();
        $files = [
            0 => ['file', '/dev/null', 'r'],
            1 => ['file', "$this->folder/out", 'w'],
            2 => ['file', "$this->folder/err", 'w'],
        ] + $streams;
        $process = proc_open($command, $files, $pipes, null, $environment + getenv());
        if ($process === false) {
            throw new \RuntimeException('cannot start ' . implode(' ', $command));
        }
        $this->process = $process;
    }

    public function __destruct()
    {
        if ($this->isAlive()) {
            $this->signal(SIGKILL);
        }
        proc_close($this->process);
    }

    public function id(): int
    {
        return proc_get_status($this->process)['pid'];
    }

    public function isAlive(): bool
    {
        if ($this->exitStatus === null) {
            $status = proc_get_status($this->process);
            $this->exitStatus = $status['running'] ? null : $status['exitcode'];
        }

        return $this->exitStatus === null;
    }

    public function signal(int $signal): void
    {
        proc_terminate($this->process, $signal);
    }

    /**
     * Stops it, with all its threads, until resume().
     */
    public function pause(): void
    {
        $this->signal(SIGSTOP);
        Wait::for('a process to stop', function (): bool {
            foreach (glob("/proc/{$this->id()}/task/*/stat") ?: [] as $file) {
                // The state is behind the name, which may have anything in it but this.
                if (substr((string) strrchr((string) file_get_contents($file), ')'), 2, 1) !== 'T') {
                    return false;
                }
            }

            return true;
        });
    }

    public function resume(): void
    {
        $this->signal(SIGCONT);
    }

    /**
     * Waits for its end.
     *
     * @return int its status
     */
    public function wait(): int
    {
        Wait::for('the end of a process', fn () => !$this->isAlive());

        return (int) $this->exitStatus;
    }

    public function output(): string
    {
        return (string) file_get_contents("$this->folder/out");
    }

    public function errors(): string
    {
        return (string) file_get_contents("$this->folder/err");
    }
}
