<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * Temporary folders, removed at the end.
 */
final class Folder
{
    public static function make(): string
    {
        $folder = sys_get_temp_dir() . '/pushprom-php-' . bin2hex(random_bytes(6));
        mkdir($folder, 0700);
        $owner = getmypid();
        register_shutdown_function(static function () use ($folder, $owner): void {
            if (getmypid() === $owner) {
                self::remove($folder);
            }
        });

        return $folder;
    }

    private static function remove(string $folder): void
    {
        $entries = new \RecursiveIteratorIterator(
            new \RecursiveDirectoryIterator($folder, \FilesystemIterator::SKIP_DOTS),
            \RecursiveIteratorIterator::CHILD_FIRST
        );
        foreach ($entries as $entry) {
            $entry->isDir() && !$entry->isLink() ? rmdir($entry->getPathname()) : unlink($entry->getPathname());
        }
        rmdir($folder);
    }
}
