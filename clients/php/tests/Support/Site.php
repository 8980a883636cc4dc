<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * A page of PHP-FPM behind nginx, on a free port.
 */
final class Site
{
    private const WORKERS = 8;

    private const FPM = <<<'INI'
        [global]
        error_log = /proc/self/fd/2
        log_level = warning
        [www]
        listen = FOLDER/fpm.sock
        pm = static
        pm.max_children = WORKERS
        clear_env = no
        catch_workers_output = yes
        php_admin_flag[display_errors] = on
        php_admin_flag[html_errors] = off
        INI;

    private const NGINX = <<<'CONF'
        daemon off;
        pid FOLDER/nginx.pid;
        error_log stderr error;
        events {}
        http {
            access_log off;
            client_body_temp_path FOLDER/temporary;
            fastcgi_temp_path FOLDER/temporary;
            proxy_temp_path FOLDER/temporary;
            scgi_temp_path FOLDER/temporary;
            uwsgi_temp_path FOLDER/temporary;
            server {
                listen ADDRESS;
                location / {
                    fastcgi_pass unix:FOLDER/fpm.sock;
                    fastcgi_param SCRIPT_FILENAME FOLDER/page.php;
                    fastcgi_param REQUEST_METHOD $request_method;
                    fastcgi_param QUERY_STRING $query_string;
                    fastcgi_param REQUEST_URI $request_uri;
                }
            }
        }
        CONF;

    private readonly Process $fpm;

    private readonly Process $nginx;

    /** As in `http://127.0.0.1:40123/`. */
    public readonly string $url;

    /**
     * @param string $code of the page, as with Script
     * @param array<string, string> $environment that the page sees
     * @param list<string> $flags of PHP
     */
    public function __construct(string $code, array $environment, array $flags = [])
    {
        $folder = Folder::make();
        // nginx takes no port 0, but a socket that is there already.
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $address = (string) stream_socket_get_name($socket, false);
        $this->url = "http://$address/";
        $names = ['FOLDER' => $folder, 'ADDRESS' => $address, 'WORKERS' => (string) self::WORKERS];
        $isRoot = posix_geteuid() === 0;
        Script::write("$folder/page.php", $code);
        file_put_contents("$folder/fpm.conf", strtr(self::FPM, $names) . ($isRoot ? "\nuser = root\n" : "\n"));
        file_put_contents("$folder/nginx.conf", ($isRoot ? "user root;\n" : '') . strtr(self::NGINX, $names));
        $fpm = '/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        $this->fpm = new Process([$fpm, '-F', '-R', '-y', "$folder/fpm.conf", ...$flags], $environment);
        Wait::for('PHP-FPM', fn () => file_exists("$folder/fpm.sock") ?: $this->failed($this->fpm));
        $nginx = ['nginx', '-p', $folder, '-c', "$folder/nginx.conf"];
        $this->nginx = new Process($nginx, ['NGINX' => '3;'], [3 => $socket]);
    }

    public function __destruct()
    {
        foreach ([$this->nginx, $this->fpm] as $process) {
            $process->signal(SIGTERM);
        }
        // Those that they have forked end with them, and would not if they were killed.
        foreach ([$this->nginx, $this->fpm] as $process) {
            $process->wait();
        }
    }

    /**
     * Asks for the page.
     *
     * @return array{string, string, float} the line of its status, the page, and the milliseconds that it took
     */
    public function get(): array
    {
        $context = stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 30]]);
        $begin = hrtime(true);
        $page = (string) file_get_contents($this->url, false, $context);

        return [$http_response_header[0] ?? '', $page, (hrtime(true) - $begin) / 1e6];
    }

    /**
     * Has very many ask for the page, who all have to get one.
     */
    public function load(int $requests, int $concurrency): void
    {
        $load = new Process(['ab', '-q', '-n', (string) $requests, '-c', (string) $concurrency, $this->url]);
        $load->wait();
        $report = $load->output();
        $complete = preg_match("/^Complete requests: +$requests\$/m", $report) === 1;
        if (!$complete || preg_match('/^Failed requests: +0$/m', $report) !== 1 || str_contains($report, 'Non-2xx')) {
            throw new \RuntimeException("not every request got a page:\n$report{$load->errors()}{$this->complaints()}");
        }
    }

    /**
     * What PHP-FPM and nginx have logged, warnings and worse.
     */
    public function complaints(): string
    {
        // nginx says that it was given a socket, whatever its log is to have.
        return $this->fpm->errors() . preg_replace('/^.*using inherited sockets.*\n/m', '', $this->nginx->errors());
    }

    private function failed(Process $process): bool
    {
        return $process->isAlive() ? false : throw new \RuntimeException("it ended: {$process->errors()}");
    }
}
