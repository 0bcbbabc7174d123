<?php

namespace App\Listeners;

use Illuminate\Queue\Events\JobQueued;

/**
 * Logs each job that is queued, for queuewatch: the one line that Laravel does not write.
 *
 * For Laravel 8.24 and later, by itself: copy it to app/Listeners. Laravel 11 and later find it there; before that, name
 * it in the boot method of a service provider:
 *
 *     Event::listen(\Illuminate\Queue\Events\JobQueued::class, \App\Listeners\LogQueuedJob::class);
 *
 * The package queuewatch/laravel does more: uuids and queues before 10.21 and 11.0, batches on the database driver,
 * workers' starts, stops and heartbeats; and it does not wait for a full pipe.
 */
class LogQueuedJob
{
    public function handle(JobQueued $event): void
    {
        try {
            $this->write($event);
        } catch (\Throwable $e) {
            // A line that cannot be written is not worth a job.
        }
    }

    private function write(JobQueued $event)
    {
        // Names and numbers only: neither arguments nor data of the job.
        $payload = method_exists($event, 'payload') ? $event->payload() : [];
        $context = [
            'id' => is_object($event->id) ? $event->id->getId() : $event->id,
            'uuid' => $payload['uuid'] ?? null,
            'job' => $payload['displayName'] ?? $this->name($event->job),
            'queue' => $this->queue($event),
            'connection' => $event->connectionName,
            'maxTries' => $payload['maxTries'] ?? null,
            'timeout' => $payload['timeout'] ?? null,
        ];
        // Before 11.0 the event does not tell the delay; a key that is missing says so.
        if (property_exists($event, 'delay')) {
            $context['delay'] = $event->delay;
        }
        $line = json_encode([
            'message' => 'Job queued',
            'context' => $context,
            'level' => 200,
            'level_name' => 'INFO',
            'channel' => 'queuewatch',
            'datetime' => now('UTC')->format('Y-m-d H:i:s.uP'),
            'extra' => new \stdClass(),
        ], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);

        $stream = fopen(getenv('QUEUEWATCH_STREAM') ?: 'php://stderr', 'a');
        fwrite($stream, $line."\n");
        fclose($stream);
    }

    /** What a worker prints of the job, before 10.21. */
    private function name($job)
    {
        if (! is_object($job)) {
            return explode('@', $job)[0];
        }

        return method_exists($job, 'displayName') ? $job->displayName() : get_class($job);
    }

    /** An app may leave the queue out, and then the connection's own is meant. */
    private function queue(JobQueued $event)
    {
        $queue = $event->queue ?? $event->job->queue ?? null;
        $isElsewhere = $event->job instanceof \Illuminate\Events\CallQueuedListener
            || $event->job instanceof \Illuminate\Mail\SendQueuedMailable;
        if ($queue === null && ! property_exists($event, 'queue') && $isElsewhere) {
            // Before 11.0 nothing tells the queue of a listener or a mailable.
            return null;
        }

        return $queue ?: config("queue.connections.{$event->connectionName}.queue", 'default');
    }
}
