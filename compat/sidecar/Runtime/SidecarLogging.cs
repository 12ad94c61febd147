using System.Globalization;
using System.Text;
using System.Text.Json;
using LocalPlus.Sidecar.Cli;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// Writes log lines as daprd does: logfmt, or JSON with --log-as-json. A category is the line's scope.
/// </summary>
internal sealed class SidecarLoggerProvider(SidecarOptions options, TextWriter output) : ILoggerProvider
{
    private static readonly string Instance = Environment.MachineName;

    public ILogger CreateLogger(string categoryName) => new Logger(this, Scope(categoryName));

    public static LogLevel Level(string name) =>
        name.ToLowerInvariant() switch
        {
            "debug" => LogLevel.Debug,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            "fatal" => LogLevel.Critical,
            _ => LogLevel.Information,
        };

    public static ILoggerFactory Factory(SidecarOptions options) =>
        LoggerFactory.Create(logging =>
            logging
                .SetMinimumLevel(Level(options.LogLevel))
                // Nothing of the host's own: with any level on it makes an activity for every request, which would be
                // our spans' parent.
                .AddFilter("Microsoft", LogLevel.None)
                .AddFilter("Grpc", LogLevel.Critical)
                .AddFilter("System", LogLevel.Critical)
                .AddProvider(new SidecarLoggerProvider(options, Console.Out))
        );

    public void Dispose()
    {
        // The console belongs to the process.
    }

    private static string Scope(string category)
    {
        var cut = category.LastIndexOf('.');
        return category.StartsWith("dapr.", StringComparison.Ordinal)
            ? category
            : "dapr.runtime." + category[(cut + 1)..].ToLowerInvariant();
    }

    private static string LevelName(LogLevel level) =>
        level switch
        {
            LogLevel.Critical => "fatal",
            LogLevel.Error => "error",
            LogLevel.Warning => "warning",
            LogLevel.Information => "info",
            _ => "debug",
        };

    private void Write(string scope, LogLevel level, string message, ApiCall? call)
    {
        var time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z'", CultureInfo.InvariantCulture);
        var line = new StringBuilder(160 + message.Length);
        if (options.LogAsJson)
        {
            line.Append("{\"app_id\":").Append(Quote(options.AppId));
            Append(
                line,
                call,
                static (l, c) =>
                    l.Append(CultureInfo.InvariantCulture, $",\"code\":{c.Code},\"duration\":{c.Milliseconds}")
            );
            line.Append(",\"instance\":")
                .Append(Quote(Instance))
                .Append(",\"level\":\"")
                .Append(LevelName(level))
                .Append('"');
            Append(line, call, static (l, c) => l.Append(",\"method\":").Append(Quote(c.Method)));
            line.Append(",\"msg\":").Append(Quote(message)).Append(",\"scope\":\"").Append(scope).Append('"');
            Append(
                line,
                call,
                static (l, c) =>
                    _ = c.Size is { } size ? l.Append(CultureInfo.InvariantCulture, $",\"size\":{size}") : l
            );
            line.Append(",\"time\":\"").Append(time).Append("\",\"type\":\"log\"");
            Append(
                line,
                call,
                static (l, c) => _ = c.UserAgent.Length > 0 ? l.Append(",\"useragent\":").Append(Quote(c.UserAgent)) : l
            );
            line.Append(",\"ver\":\"").Append(SidecarOptions.RuntimeVersion).Append("\"}");
        }
        else
        {
            line.Append("time=\"")
                .Append(time)
                .Append("\" level=")
                .Append(LevelName(level))
                .Append(" msg=")
                .Append(Quote(message))
                .Append(" app_id=")
                .Append(options.AppId);
            Append(
                line,
                call,
                static (l, c) => l.Append(CultureInfo.InvariantCulture, $" code={c.Code} duration={c.Milliseconds}")
            );
            line.Append(" instance=").Append(Instance);
            Append(line, call, static (l, c) => l.Append(" method=").Append(Quote(c.Method)));
            line.Append(" scope=").Append(scope);
            Append(
                line,
                call,
                static (l, c) => _ = c.Size is { } size ? l.Append(CultureInfo.InvariantCulture, $" size={size}") : l
            );
            line.Append(" type=log");
            Append(
                line,
                call,
                static (l, c) => _ = c.UserAgent.Length > 0 ? l.Append(" useragent=").Append(Quote(c.UserAgent)) : l
            );
            line.Append(" ver=").Append(SidecarOptions.RuntimeVersion);
        }
        // One call per line: lines of several applications in one process never mix.
        output.WriteLine(line.ToString());
    }

    /// <summary>Members stand in the order of their names, so those of a call stand between the others.</summary>
    private static void Append(StringBuilder line, ApiCall? call, Action<StringBuilder, ApiCall> append)
    {
        if (call is { } known)
        {
            append(line, known);
        }
    }

    private static string Quote(string text) =>
        "\""
        + JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)
        + "\"";

    private sealed class Logger(SidecarLoggerProvider provider, string scope) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var text = formatter(state, exception);
            provider.Write(
                scope,
                logLevel,
                exception is null ? text : $"{text}: {exception.Message}",
                state is ApiCall call ? call : null
            );
        }
    }
}
