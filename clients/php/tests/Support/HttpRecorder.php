<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * A server, in a process of its own, that keeps the bytes of requests and gives all of them one answer.
 */
final class HttpRecorder
{
    private readonly string $folder;

    private readonly Process $process;

    /** As in `127.0.0.1:40123`. */
    public readonly string $address;

    /**
     * @param string $status of the answer; it never answers if this is empty
     */
    public function __construct(string $status = '200 OK', string $body = 'ok')
    {
        $this->folder = Folder::make();
        $head = "HTTP/1.1 $status\r\nContent-Length: " . strlen($body) . "\r\nConnection: close\r\n\r\n";
        file_put_contents("$this->folder/answer", $status === '' ? '' : $head . $body);
        $this->process = new Process([PHP_BINARY, '-n', __DIR__ . '/record-http.php', $this->folder]);
        $this->address = Wait::for('the address of the recorder', function (): ?string {
            return is_file("$this->folder/address") ? (string) file_get_contents("$this->folder/address") : null;
        });
    }

    /**
     * @return list<string> what came, to the byte
     */
    public function requests(): array
    {
        $requests = [];
        for ($number = 1; is_file("$this->folder/$number"); $number++) {
            $requests[] = (string) file_get_contents("$this->folder/$number");
        }

        return $requests;
    }
}
