using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>A flag as operators see it.</summary>
/// <param name="Value">on or off, or how many merchants in a hundred.</param>
/// <param name="Source">configuration, or default where nothing is said.</param>
/// <param name="Since">When the replica that answers learned the value.</param>
internal sealed record FlagView(
    string Name,
    FlagKind Kind,
    string Value,
    string Default,
    string Source,
    DateTimeOffset Since,
    string Meaning
)
{
    public string Object { get; } = "flag";
}

/// <summary>
/// GET /ops/v1/flags, of one service for all: what operators have switched, and what there is to switch. They are set
/// where the component featureflags keeps them.
/// </summary>
public static class ListFlags
{
    internal sealed record Response(IReadOnlyList<FlagView> Data);

    public static IEndpointRouteBuilder MapListFlags(this IEndpointRouteBuilder operators)
    {
        operators
            .MapGet("/flags", (Flags flags) => Answer.Ok(new Response([.. Flag.All.Select(flag => View(flag, flags))])))
            .WithName(nameof(ListFlags))
            .Produces<Response>();
        return operators;
    }

    private static FlagView View(Flag flag, Flags flags)
    {
        var state = flags.Of(flag);
        return new(
            flag.Name,
            flag.Kind,
            state.Value,
            flag.Default,
            state.IsSet ? "configuration" : "default",
            state.Since,
            flag.Meaning
        );
    }
}
