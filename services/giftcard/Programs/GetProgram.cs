using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>GET /v1/programs/{id}. Refusals: not_found.</summary>
internal static class GetProgram
{
    public static IEndpointRouteBuilder MapGetProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/programs/{id}", HandleAsync)
            .RequireScope("programs:read")
            .WithName(nameof(GetProgram))
            .Produces<ProgramView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId id,
        ProgramCopies programs,
        CancellationToken cancel
    )
    {
        var program = await programs.GetAsync(http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(program, program.Version);
    }
}
