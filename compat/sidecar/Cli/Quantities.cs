using System.Buffers;
using System.Globalization;

namespace LocalPlus.Sidecar.Cli;

/// <summary>The notations of durations and sizes in Dapr's flags and resources.</summary>
public static class Quantities
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    /// <summary>A Go duration: <c>300ms</c>, <c>1m30s</c>, <c>1.5h</c>, <c>0</c>, negative with a sign.</summary>
    public static bool TryParseDuration(ReadOnlySpan<char> text, out TimeSpan value)
    {
        value = default;
        var negative = text.StartsWith("-");
        if (negative || text.StartsWith("+"))
        {
            text = text[1..];
        }
        if (text is "0")
        {
            return true;
        }
        if (text.IsEmpty)
        {
            return false;
        }
        double milliseconds = 0;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept(Digits);
            if (
                digits <= 0
                || !double.TryParse(text[..digits], NumberStyles.Float, CultureInfo.InvariantCulture, out var amount)
            )
            {
                return false;
            }
            text = text[digits..];
            var length = text.IndexOfAny(Digits);
            var unit = length < 0 ? text : text[..length];
            var factor = unit switch
            {
                "h" => 3_600_000d,
                "m" => 60_000d,
                "s" => 1_000d,
                "ms" => 1d,
                "us" or "µs" => 0.001d,
                "ns" => 0.000001d,
                _ => -1d,
            };
            if (factor < 0)
            {
                return false;
            }
            milliseconds += amount * factor;
            text = length < 0 ? [] : text[length..];
        }
        value = TimeSpan.FromMilliseconds(negative ? -milliseconds : milliseconds);
        return true;
    }

    /// <summary>A Go duration, or an error in Go's words.</summary>
    public static TimeSpan Duration(string text) =>
        TryParseDuration(text, out var value) ? value : throw new FormatException($"time: invalid duration \"{text}\"");

    /// <summary>A component's duration: a Go duration, or a bare number of milliseconds.</summary>
    public static TimeSpan DurationOrMilliseconds(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? TimeSpan.FromMilliseconds(number)
            : Duration(text);

    /// <summary>A Kubernetes quantity in bytes: <c>4Mi</c>, <c>64k</c>, <c>1048576</c>; -1 means no limit.</summary>
    public static long Bytes(string text)
    {
        ReadOnlySpan<(string Suffix, long Factor)> units =
        [
            ("Ki", 1L << 10),
            ("Mi", 1L << 20),
            ("Gi", 1L << 30),
            ("k", 1_000),
            ("K", 1_000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
        ];
        foreach (var (suffix, factor) in units)
        {
            if (
                text.EndsWith(suffix, StringComparison.Ordinal)
                && decimal.TryParse(
                    text.AsSpan(0, text.Length - suffix.Length),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var amount
                )
            )
            {
                return (long)(amount * factor);
            }
        }
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : throw new FormatException(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            );
    }

    /// <summary>A duration as Go prints it in metadata: <c>1s</c>, <c>300ms</c>, <c>1m30s</c>.</summary>
    public static string Print(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
        {
            return "0s";
        }
        if (value < TimeSpan.FromSeconds(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:0.######}ms");
        }
        var hours = (long)value.TotalHours;
        var seconds = value.TotalSeconds - (hours * 3600) - (value.Minutes * 60);
        var tail = string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#########}s");
        return hours > 0 ? $"{hours}h{value.Minutes}m{tail}"
            : value.Minutes > 0 ? $"{value.Minutes}m{tail}"
            : tail;
    }
}
