<?php

namespace QueueWatch\Laravel;

/**
 * Writes one JSON line at a time, in the form of Monolog's JsonFormatter, and never waits long for whoever reads it.
 *
 * A line is one write of less than a page, so that the lines of many processes do not mix on a pipe. A pipe that stays
 * full costs a line, not the app: what was dropped is counted and said in the next line that goes out.
 */
class LineWriter
{
    /** A pipe takes this much in one piece (PIPE_BUF), and is reported writable only when it has room for it. */
    public const LINE_BYTES_MAX = 4096;

    /** Longest name that is written: beyond it a line may outgrow a page. */
    public const NAME_BYTES_MAX = 512;

    /** How long a line may wait for a full pipe. After a line was dropped none waits, until one goes out again. */
    public const WAIT_MICROSECONDS_MAX = 5000;

    private $target;

    /** @var resource|null */
    private $stream;

    private $dropped = 0;

    public function __construct($target)
    {
        $this->target = $target;
    }

    public function write($message, array $context)
    {
        foreach ($context as $key => $value) {
            if (is_string($value) && strlen($value) > self::NAME_BYTES_MAX) {
                $context[$key] = substr($value, 0, self::NAME_BYTES_MAX);
            }
        }
        if (strncmp($this->target, 'channel:', 8) === 0) {
            app('log')->channel(substr($this->target, 8))->info($message, $context);

            return;
        }

        $line = $this->line($message, $context);
        if ($line !== null && $this->put($line)) {
            $this->dropped = 0;
        } else {
            $this->dropped++;
        }
    }

    /** The line with its end, or null where it would not fit. */
    private function line($message, array $context)
    {
        $now = explode(' ', microtime());
        $record = [
            'message' => $message,
            'context' => $context,
            'level' => 200,
            'level_name' => 'INFO',
            'channel' => 'queuewatch',
            // With a space, as Laravel's own lines have it: one awslogs-datetime-format then finds them all.
            'datetime' => gmdate('Y-m-d H:i:s', (int) $now[1]).substr($now[0], 1, 7).'+00:00',
            'extra' => $this->dropped > 0 ? ['dropped' => $this->dropped] : new \stdClass(),
        ];
        $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;
        $line = json_encode($record, $flags);

        return $line === false || strlen($line) >= self::LINE_BYTES_MAX ? null : $line."\n";
    }

    private function put($line)
    {
        if (! is_resource($this->stream)) {
            // `n` opens without blocking: a pipe that nobody reads fails at once. Standard error cannot be opened so,
            // because the flag would be every other writer's, too: the app shares the open file with its parent.
            $isShared = strncmp($this->target, 'php://', 6) === 0;
            $this->stream = @fopen($this->target, $isShared ? 'w' : 'an');
            if (! is_resource($this->stream)) {
                return false;
            }
        }
        if (! $this->hasRoom()) {
            return false;
        }
        if (@fwrite($this->stream, $line) === strlen($line)) {
            return true;
        }
        // The reader may be gone, or the file rotated away: the next line opens it again.
        @fclose($this->stream);
        $this->stream = null;

        return false;
    }

    private function hasRoom()
    {
        $read = $except = null;
        $write = [$this->stream];
        $wait = $this->dropped > 0 ? 0 : self::WAIT_MICROSECONDS_MAX;

        return @stream_select($read, $write, $except, 0, $wait) === 1;
    }
}
