<?php

// A server of raw TCP that keeps each request as it came: record-http.php FOLDER. It writes them to FOLDER/1,
// FOLDER/2 and so on before it answers with what is in FOLDER/answer. It never answers if that is empty.

declare(strict_types=1);

[, $folder] = $argv;
$answer = (string) file_get_contents("$folder/answer");
$server = stream_socket_server('tcp://127.0.0.1:0');
file_put_contents("$folder/address.new", stream_socket_get_name($server, false));
rename("$folder/address.new", "$folder/address");
$held = [];
for ($number = 1; true; $number++) {
    $connection = stream_socket_accept($server, -1);
    $request = '';
    do {
        $part = (string) fread($connection, 65_536);
        $request .= $part;
        $headBytes = strpos($request, "\r\n\r\n");
        preg_match('/^content-length: *(\d+)/im', $request, $found);
        $whole = $headBytes !== false && strlen($request) >= $headBytes + 4 + (int) ($found[1] ?? 0);
    } while (!$whole && $part !== '');
    file_put_contents("$folder/$number.new", $request);
    rename("$folder/$number.new", "$folder/$number");
    if ($answer === '') {
        $held[] = $connection;
        continue;
    }
    fwrite($connection, $answer);
    fclose($connection);
}
