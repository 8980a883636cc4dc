<?php

// A server that answers as it is told, one connection after the other: see FakeServer. Its first line of output is
// its address; each request is a further one, as JSON.

declare(strict_types=1);

[, $turns, $deaf] = $argv;
$turns = unserialize((string) file_get_contents($turns));
$listener = stream_socket_server('tcp://127.0.0.1:0');
echo stream_socket_get_name($listener, false), "\n";
while ($deaf === 'deaf') {
    sleep(60);
}
while (true) {
    $connection = stream_socket_accept($listener, -1);
    do {
        [$answer, $then] = count($turns) > 1 ? array_shift($turns) : $turns[0];
        $reads = !str_starts_with($then, 'hasty');
        $then = $reads ? $then : substr($then, strlen('hasty '));
        $head = $reads ? '' : (string) fread($connection, 1);
        while ($reads && !str_contains($head, "\r\n\r\n") && !feof($connection)) {
            $head .= fgets($connection);
        }
        if ($head === '') {
            // Closed without a request, so it was nobody's turn.
            array_unshift($turns, [$answer, $then]);
            break;
        }
        preg_match('/^content-length: (\d+)/im', $head, $found);
        $length = (int) ($found[1] ?? 0);
        $body = $length > 0 ? (string) stream_get_contents($connection, $length) : '';
        echo json_encode(['head' => $head, 'body' => $body], JSON_INVALID_UTF8_SUBSTITUTE), "\n";
        $open = @fwrite($connection, $answer) === strlen($answer);
        while ($open && ($then === 'trickle' || $then === 'flood')) {
            $open = @fwrite($connection, $then === 'trickle' ? 'x' : str_repeat('x', 65_536)) !== false;
            usleep($then === 'trickle' ? 50_000 : 0);
        }
        while ($then === 'hang' && !feof($connection)) {
            fread($connection, 8192);
        }
    } while ($then === 'keep');
    fclose($connection);
}
