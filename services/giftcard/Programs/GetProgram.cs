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
        Database database,
        CancellationToken cancel
    )
    {
        var row = await database.QuerySingleOrDefaultAsync<ProgramRow>(
            Sql.Get,
            new { ProgramId = id, http.GetMerchant().MerchantId },
            cancel
        );
        return row is null
            ? throw new FaultException(CommonFaults.NotFound, "There is no such programme.")
            : Answer.Ok(row.ToView(), row.About.Version);
    }

    private static class Sql
    {
        public const string Get = $"""
            {ProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
            """;
    }
}
