<?php
/**
 * The service's forms, as data: block, shortcode and fallback link are made from it.
 *
 * @package Intresse
 */

defined( 'ABSPATH' ) || exit;

/**
 * Each form by its name in `data-intresse`.
 *
 * `label` names it in the editor, `link` is the text of the link where scripts are blocked, `needs_estate` says whether
 * it is about a home.
 *
 * @return array<string, array{label: string, link: string, needs_estate: bool}>
 */
function intresse_forms() {
	return array(
		'interest'    => array(
			'label'        => __( 'Interest in a home', 'intresse' ),
			'link'         => __( 'Register your interest', 'intresse' ),
			'needs_estate' => true,
		),
		'viewing'     => array(
			'label'        => __( 'Viewing booking', 'intresse' ),
			'link'         => __( 'Book a viewing', 'intresse' ),
			'needs_estate' => true,
		),
		'valuation'   => array(
			'label'        => __( 'Valuation', 'intresse' ),
			'link'         => __( 'Book a valuation', 'intresse' ),
			'needs_estate' => false,
		),
		'final-price' => array(
			'label'        => __( 'Final price', 'intresse' ),
			'link'         => __( 'Tell me the final price', 'intresse' ),
			'needs_estate' => true,
		),
	);
}

/**
 * The address of a form's own page at the service.
 *
 * @param array<string, string> $form As `intresse_form()` makes it.
 * @return string
 */
function intresse_form_url( $form ) {
	$path = array( 'forms', $form['customer'], $form['form'] );
	if ( 'viewing' === $form['form'] && '' !== $form['viewing'] ) {
		array_push( $path, $form['viewing'], $form['slot'] );
	} elseif ( '' !== $form['estate'] ) {
		$path[] = $form['estate'];
	}
	return intresse_settings()['service'] . '/' . implode( '/', array_map( 'rawurlencode', $path ) );
}
