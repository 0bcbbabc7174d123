<?php

namespace QueueWatch\Laravel;

/**
 * `Worker started`, `Worker heartbeat` and `Worker stopped` of a `queue:work` process. Laravel itself says nothing of
 * any of them, so that an idle worker and none at all look the same.
 *
 * The heartbeat is the worker's own loop: it beats once a minute while the worker asks for jobs, and pauses while it
 * runs one, is paused, or the app is down for maintenance. A process that was killed says nothing more.
 */
class WorkerLines
{
    private $writer;

    private $app;

    private $heartbeatSeconds;

    private $worker;

    private $isStopped = false;

    private $lastBeat = 0;

    private $jobs = 0;

    private $lastJob;

    public function __construct(LineWriter $writer, $app, $heartbeatSeconds)
    {
        $this->writer = $writer;
        $this->app = $app;
        $this->heartbeatSeconds = $heartbeatSeconds;
    }

    /** Laravel 12.18 and later. */
    public function starting($event)
    {
        $this->begin($event);
    }

    /** Each time the worker is about to ask for a job. */
    public function looping($event)
    {
        if ($this->worker === null) {
            $this->begin($event);
        } elseif ($this->heartbeatSeconds > 0 && time() - $this->lastBeat >= $this->heartbeatSeconds) {
            $this->lastBeat = time();
            $told = ['jobs' => $this->jobs];
            if ($this->lastJob !== null) {
                $told['last_job'] = $this->lastJob;
            }
            $this->writer->write('Worker heartbeat', $this->worker + $told + $this->versions());
        }
    }

    public function processing($event)
    {
        if ($this->worker !== null) {
            $this->jobs++;
            $this->lastJob = $event->job->resolveName();
        }
    }

    public function stopping($event)
    {
        $this->end($this->reason($event), (int) $event->status);
    }

    private function begin($event)
    {
        if ($this->worker !== null) {
            return;
        }
        $this->lastBeat = time();
        $this->worker = [
            'connection' => $event->connectionName,
            'queues' => (string) $event->queue,
            'host' => (string) gethostname(),
            'pid' => (int) getmypid(),
        ];
        register_shutdown_function(function () {
            try {
                $this->end($this->isFatal() ? 'fatal_error' : 'exit', null);
            } catch (\Throwable $e) {
                // As everywhere.
            }
        });
        $this->writer->write('Worker started', $this->worker + $this->versions());
    }

    private function end($reason, $status)
    {
        if ($this->worker === null || $this->isStopped || getmypid() !== $this->worker['pid']) {
            return;
        }
        $this->isStopped = true;
        $told = ['reason' => $reason, 'status' => $status, 'jobs' => $this->jobs];
        $this->writer->write('Worker stopped', $this->worker + $told);
    }

    /** The framework's own word (12.59 and later), or what its older state gives away. */
    private function reason($event)
    {
        $reason = $event->reason ?? null;
        if ($reason !== null) {
            return (string) (is_object($reason) ? $reason->value ?? $reason->name ?? 'unknown' : $reason);
        }
        if ((int) $event->status === 12) {
            return 'memory';
        }
        if ((int) $event->status !== 0) {
            return 'timed_out';
        }
        // A signal sets it, and so does a lost connection.
        $isQuitting = $this->app->resolved('queue.worker') && ($this->app['queue.worker']->shouldQuit ?? false);

        return $isQuitting ? 'interrupted_or_lost_connection' : 'limit_or_restart_signal';
    }

    private function isFatal()
    {
        $error = error_get_last();

        return $error !== null && in_array($error['type'], [E_ERROR, E_PARSE, E_CORE_ERROR, E_COMPILE_ERROR], true);
    }

    private function versions()
    {
        return ['laravel' => $this->app->version(), 'php' => PHP_VERSION];
    }
}
