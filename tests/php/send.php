<?php
// Sends recorded messages the way the original's PHP client does: each HTTP message by curl on a
// connection of its own, each datagram by a stream socket. Prints the answers, a line each.

declare(strict_types=1);

[, $file, $http, $udp] = $argv;
$messages = json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR);

foreach ($messages['http'] as $message) {
    $curl = curl_init("http://$http/");
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $message,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
        CURLOPT_RETURNTRANSFER => true,
    ]);
    $answer = curl_exec($curl);
    if ($answer === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    echo trim($answer), "\n";
}

[$host, $port] = explode(':', $udp);
foreach ($messages['udp'] as $message) {
    $socket = fsockopen("udp://$host", (int) $port);
    fwrite($socket, $message);
    fclose($socket);
}
