using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>
/// Instants as callers write them: RFC 3339, and so with an offset. One without would be read in the server's zone,
/// or in UTC, and either is a guess that is hours off for somebody.
/// </summary>
public static partial class Instants
{
    /// <summary>
    /// The instant in UTC and whole milliseconds, which is how every answer shows it; false for anything else.
    /// </summary>
    public static bool TryParse(string? text, out DateTimeOffset instant)
    {
        instant = default;
        if (text is null || Rfc3339().Match(text) is not { Success: true } match)
        {
            return false;
        }

        var offset = match.Groups["offset"].Value;
        if (
            !DateTimeOffset.TryParseExact(
                match.Groups["time"].Value + (offset == "Z" ? "+00:00" : offset),
                "yyyy-MM-dd'T'HH:mm:sszzz",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var seconds
            )
        )
        {
            return false;
        }

        var milliseconds = match.Groups["fraction"].Value.PadRight(3, '0')[..3];
        instant = seconds.ToUniversalTime().AddMilliseconds(int.Parse(milliseconds, CultureInfo.InvariantCulture));
        return true;
    }

    /// <summary>As answers and events show it.</summary>
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>
    /// Refuses instants without an offset in the queries of the group's endpoints, whose binding would let them
    /// through.
    /// </summary>
    internal static RouteGroupBuilder RequireOffsets(this RouteGroupBuilder group) =>
        group.AddEndpointFilterFactory(
            (context, next) =>
            {
                string[] names = [.. context.MethodInfo.GetParameters().SelectMany(InstantsOf)];
                return names.Length == 0
                    ? next
                    : invocation =>
                    {
                        foreach (var name in names)
                        {
                            if (
                                invocation.HttpContext.Request.Query.TryGetValue(name, out var value)
                                && !TryParse(value, out _)
                            )
                            {
                                throw new FaultException(
                                    CommonFaults.InvalidRequest,
                                    $"{name} is an RFC 3339 instant with its offset, such as 2026-01-31T12:00:00Z.",
                                    new FieldError(name, "invalid")
                                );
                            }
                        }

                        return next(invocation);
                    };
            }
        );

    private static IEnumerable<string> InstantsOf(ParameterInfo parameter) =>
        parameter.GetCustomAttribute<AsParametersAttribute>() is null
            ? IsInstant(parameter.ParameterType)
                ? [NameOf(parameter, parameter.Name!)]
                : []
            : parameter
                .ParameterType.GetProperties()
                .Where(p => IsInstant(p.PropertyType))
                .Select(p =>
                    NameOf(
                        p,
                        parameter
                            .ParameterType.GetConstructors()[0]
                            .GetParameters()
                            .FirstOrDefault(c => string.Equals(c.Name, p.Name, StringComparison.OrdinalIgnoreCase))
                    )
                );

    private static string NameOf(MemberInfo property, ParameterInfo? argument) =>
        (argument is null ? null : FromQuery(argument.GetCustomAttributes()))
        ?? FromQuery(property.GetCustomAttributes())
        ?? property.Name;

    private static string NameOf(ParameterInfo parameter, string name) =>
        FromQuery(parameter.GetCustomAttributes()) ?? name;

    private static string? FromQuery(IEnumerable<Attribute> attributes) =>
        attributes.OfType<IFromQueryMetadata>().FirstOrDefault()?.Name;

    private static bool IsInstant(Type type) => (Nullable.GetUnderlyingType(type) ?? type) == typeof(DateTimeOffset);

    [GeneratedRegex(
        @"\A(?<time>[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2})(\.(?<fraction>[0-9]{1,9}))?"
            + @"(?<offset>Z|[+-][0-9]{2}:[0-9]{2})\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Rfc3339();
}

/// <summary>
/// The system's clock in whole milliseconds: what an answer shows of an instant is all there is of it, so it finds
/// its object again.
/// </summary>
internal sealed class MillisecondClock : TimeProvider
{
    public override DateTimeOffset GetUtcNow()
    {
        var now = System.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
    }
}
